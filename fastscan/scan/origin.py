"""The likelihood that a scan was made with, made again from the header of its store."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastscan.exceptions import FastscanError, InputError
from fastscan.likelihoods import Chi2Function, Likelihood
from fastscan.likelihoods import make_likelihood as make
from fastscan.models import recorded_model
from fastscan.scan.axes import Axis
from fastscan.scan.grid import Grid
from fastscan.scan.provenance import scan_header

__all__ = ["check_chi2", "chi2_function", "find_likelihood", "likelihood_of"]

FloatArray = NDArray[np.float64]

# Entries of a header that the values do not depend on.
_FREE = ("fastscan_version",)
# Of chi2, for a store in single precision.
_ROUNDED = 1e-6


def likelihood_of(header: Mapping[str, Any]) -> Likelihood:
    """Make the likelihood of a scan again.

    Raises
    ------
    InputError
        Its model, experiment or inputs are not there, or are others by now.
    """
    weights: Iterator[list[float] | None] = iter(header["flux_weights"])
    weighted = any(own is not None for own in header["flux_weights"])
    try:
        found = make(
            recorded_model(header),
            header["experiment"],
            channels=header["channels"],
            sigma_alpha=header["sigma_alpha"],
            flux_weights=(lambda _: np.asarray(next(weights), dtype=float)) if weighted else None,
        )
        for constraint in header.get("constraints", ()):
            found = found.constrained(**constraint)
        axes = [Axis(**axis) for axis in header["axes"]]
        grid = Grid(found, axes, header["parameters"], header.get("profiled", ()))
        again = scan_header(found, grid)
    except (FastscanError, TypeError, KeyError) as error:
        raise InputError(
            f"the likelihood of the scan can not be made again: {getattr(error, 'line', error)}",
            where=str(header.get("experiment")),
            hint="scan again where its inputs are",
        ) from error
    # As a store has it: lists for tuples.
    again = json.loads(json.dumps(again))
    for name, value in again.items():
        if name not in (*_FREE, "axes", "order") and value != header.get(name):
            raise InputError(
                f"the likelihood of the scan can not be made again: its {name} is another one now",
                where=str(header["experiment"]),
                hint="scan again",
            )
    return found


def find_likelihood(header: Mapping[str, Any]) -> tuple[Likelihood | None, str]:
    """The likelihood of a scan made again, or None and why that can not be done."""
    try:
        return likelihood_of(header), ""
    except InputError as error:
        return None, error.what


def chi2_function(
    likelihood: Likelihood, names: Sequence[str], header: Mapping[str, Any]
) -> Callable[[FloatArray], FloatArray]:
    """Chi2 of a scan at any points of its parameters, shape (points, names) -> (points,)."""
    given, profiled = header["parameters"], header.get("profiled", ())
    if not profiled:
        return Chi2Function(likelihood, names, given)
    from fastscan.likelihoods.profiled_grid import profiled_minima

    form = likelihood.form([*names, *profiled], given)
    return lambda points: profiled_minima(form, dict(zip(names, points.T, strict=True)))[0]


def check_chi2(
    chi2: Callable[[FloatArray], FloatArray], points: FloatArray, values: FloatArray, where: str
) -> None:
    """Check that a likelihood gives the values of a scan at some of its points.

    Raises
    ------
    InputError
        It does not.
    """
    found = chi2(points)
    if not np.allclose(found, values, rtol=_ROUNDED, atol=_ROUNDED):
        raise InputError(
            "the likelihood of the scan can not be made again: its values differ",
            where=where,
            hint="scan again",
        )
