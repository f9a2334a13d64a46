"""Backgrounds of counted bins: tables of counts, their sizes and how their shapes may vary."""

from __future__ import annotations

from typing import Annotated, Self

import numpy as np
from pydantic import Field, model_validator

from fastscan.exceptions import InputError
from fastscan.inputs.bins import bin_values
from fastscan.inputs.schema import Model, Name, Positive, TableFile, problem
from fastscan.inputs.systematics import RELATIVE
from fastscan.inputs.tables import FloatArray

__all__ = ["Background", "Variation"]

# More than this of the linear change in the quadratic one is no linear nuisance any more.
_CURVED = 0.5


class Variation(Model):
    """A change of the shape of a background, one nuisance parameter.

    Attributes
    ----------
    name : str
    file : DataFile
        CSV of ``low_ev``, ``high_ev``, ``down`` and ``up``: the counts of the background with the
        nuisance one standard deviation below and above zero. Counts in between, and beyond, are
        linear: they change by half of the difference.
    """

    name: Name
    file: TableFile

    def change(self, counts: FloatArray, edges_ev: FloatArray) -> FloatArray:
        """Change of the counts of each bin by one standard deviation, shape (bins,).

        Raises
        ------
        InputError
            Rows that are not the bins, no change, one that is far from linear, or that leaves
            negative counts in a bin.
        """
        down, up = (bin_values(self.file, column, edges_ev) for column in ("down", "up"))
        change: FloatArray = 0.5 * (up - down)
        where = self.file.path.name
        if not change.any():
            raise InputError("up and down are the same counts", where=where, hint="leave it out")
        curvature = np.abs(0.5 * (up + down) - counts).sum() / np.abs(change).sum()
        if curvature > _CURVED:
            raise InputError(
                f"the background itself is not between down and up: the quadratic part is "
                f"{curvature:.2g} of the linear one",
                where=where,
                hint="counts have to change about evenly to both sides",
            )
        for b, (count, own) in enumerate(zip(counts, change, strict=True)):
            if abs(own) > count:
                raise InputError(
                    f"{count - abs(own):.4g} counts at one standard deviation in the bin "
                    f"{edges_ev[b]:g} to {edges_ev[b + 1]:g} eV",
                    where=where,
                    hint="counts can not be negative: make the variation smaller there",
                )
        return change


class Background(Model):
    """Counts that are there without a signal.

    Attributes
    ----------
    name : str
        Of the nuisance that its size is, too.
    file : DataFile
        CSV of ``low_ev``, ``high_ev``, ``counts``: expected in each observed bin.
    sigma : float, optional
        Relative standard deviation of its size.
    free : bool
        Whether its size is not known at all; the counts give the shape, and where it starts.
        Without either it is known exactly.
    variations : tuple of Variation
    """

    name: Name
    file: TableFile
    sigma: Annotated[Positive | None, RELATIVE] = None
    free: bool = False
    variations: Annotated[tuple[Variation, ...], Field(strict=False)] = ()

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if self.free and self.sigma is not None:
            raise problem(
                f"background {self.name!r} is free and has a sigma",
                "leave one out: sigma is what is known of its size",
            )
        return self

    def nuisance_names(self) -> tuple[str, ...]:
        """Of its size, unless that is known exactly, and its variations."""
        own = (self.name,) if self.free or self.sigma is not None else ()
        return own + tuple(f"{self.name} {variation.name}" for variation in self.variations)

    def counts(self, edges_ev: FloatArray) -> FloatArray:
        """Expected counts of each bin, shape (bins,).

        Raises
        ------
        InputError
            Rows that are not the bins, a negative number, or zeros throughout.
        """
        counts = bin_values(self.file, "counts", edges_ev)
        where = self.file.path.name
        if (counts < 0.0).any():
            b = int(np.argmin(counts))
            raise InputError(
                f"{counts[b]:g} counts in the bin {edges_ev[b]:g} to {edges_ev[b + 1]:g} eV",
                where=where,
                hint="a background is not negative",
            )
        if not counts.any():
            raise InputError("counts are 0 throughout", where=where, hint="leave it out")
        return counts

    def check(self, edges_ev: FloatArray) -> None:
        """Raise an `InputError` where `counts` or a variation does."""
        counts = self.counts(edges_ev)
        for variation in self.variations:
            variation.change(counts, edges_ev)
