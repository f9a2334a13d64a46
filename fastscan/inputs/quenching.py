"""Quenching: the ionisation that a recoil of a nucleus gives, as a fraction of its energy."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import Annotated, Any, Literal, Self, TypeAlias

import numpy as np
from pydantic import BeforeValidator, Field, model_validator

from fastscan.exceptions import InputError
from fastscan.inputs.quantities import Columns, Quantity
from fastscan.inputs.schema import (
    Model,
    NonNegative,
    Positive,
    TableFile,
    known_choice,
    problem,
)
from fastscan.inputs.tables import FloatArray, Table

__all__ = ["Lindhard", "NoQuenching", "PolynomialQuenching", "Quenching", "TabulatedQuenching"]

EV_PER_MEV, MEV_PER_EV = 1e6, 1e-6
RECOIL = Quantity("eV", 1.0, 1e7)
Outside = Literal["zero", "constant", "refuse"]


class _Quenching(Model):
    """What every model of quenching can be asked."""

    @abstractmethod
    def ionisation_ev(self, recoil_mev: FloatArray, atomic_number: int) -> FloatArray:
        """Ionisation energy in eV of recoils in MeV, shape (T,)."""

    def range_mev(self) -> tuple[float, float]:
        """Recoils outside this range do not ionise."""
        return 0.0, math.inf

    def kinks_mev(self) -> FloatArray:
        """Recoils at which the ionisation energy has a kink."""
        return np.empty(0)

    def turns_mev(self) -> FloatArray:
        """Recoils between which the ionisation energy rises or falls throughout."""
        return np.empty(0)

    def check_range(self, lowest_mev: float, highest_mev: float) -> None:
        """Refuse recoils that the model says nothing of."""

    def unread(self) -> dict[str, str]:
        """Keys that change no count as the others are, and why; see `Experiment.unread`."""
        return {}

    def tensor_inputs(self) -> dict[str, Any]:
        """Describe what the response tensors depend on."""
        return self.model_dump()


class Lindhard(_Quenching):
    """Lindhard's theory, k g(e) / (1 + k g(e)), for recoils in their own element.

    g = 3 e**0.15 + 0.7 e**0.6 + e with e = 11.5 Z**(-7/3) T/keV.
    """

    model: Literal["lindhard"] = "lindhard"
    k: Annotated[Positive, Quantity("1", 0.03, 0.5)]

    def ionisation_ev(self, recoil_mev: FloatArray, atomic_number: int) -> FloatArray:
        """Ionisation energy in eV of recoils in MeV, shape (T,)."""
        from fastscan.kernels.quenching import lindhard

        energy: FloatArray = lindhard(recoil_mev, float(atomic_number), self.k)
        return energy / MEV_PER_EV


class NoQuenching(_Quenching):
    """The observed energy is that of the recoil: bins, thresholds and resolution are of it."""

    model: Literal["none"]

    def ionisation_ev(self, recoil_mev: FloatArray, atomic_number: int) -> FloatArray:
        """The recoil energy in eV."""
        return recoil_mev / MEV_PER_EV


class _Ranged(_Quenching):
    """A quenching factor that is known from one recoil energy to another."""

    below: Outside | None = None
    above: Outside

    @abstractmethod
    def ends_ev(self) -> tuple[float, float]:
        """Lowest and highest recoil that the factor is known at."""

    @abstractmethod
    def _factor(self, recoil_ev: FloatArray) -> FloatArray:
        """Quenching factor inside the range."""

    @model_validator(mode="after")
    def _says_what_is_below(self) -> Self:
        first = self.ends_ev()[0]
        if self.below is None and first > 0.0:
            raise problem(
                f"missing key 'below': the quenching begins at {first:g} eV of recoil",
                "'zero' for no ionisation below, 'constant' for the first value, or 'refuse'",
            )
        return self

    def ionisation_ev(self, recoil_mev: FloatArray, atomic_number: int) -> FloatArray:
        """Ionisation energy in eV of recoils in MeV, shape (T,)."""
        recoil = np.asarray(recoil_mev, dtype=float) * EV_PER_MEV
        first, last = self.ends_ev()
        energy = recoil * self._factor(np.clip(recoil, first, last))
        low, high = self.range_mev()
        return np.where((recoil_mev < low) | (recoil_mev > high), 0.0, energy)

    def range_mev(self) -> tuple[float, float]:
        """Recoils outside this range do not ionise."""
        first, last = self.ends_ev()
        return (
            first / EV_PER_MEV if self.below == "zero" else 0.0,
            last / EV_PER_MEV if self.above == "zero" else math.inf,
        )

    def kinks_mev(self) -> FloatArray:
        """Ends of the range."""
        return np.array(self.ends_ev()) / EV_PER_MEV

    def turns_mev(self) -> FloatArray:
        """Ends of the range."""
        return self.kinks_mev()

    def check_range(self, lowest_mev: float, highest_mev: float) -> None:
        """Refuse recoils outside the range, where the settings say so."""
        first, last = self.ends_ev()
        lowest, highest = lowest_mev * EV_PER_MEV, highest_mev * EV_PER_MEV
        for outside, key, what in (
            (lowest < first, "below", f"begins at {first:g} eV of recoil, and {lowest:.4g} eV"),
            (highest > last, "above", f"ends at {last:g} eV of recoil, and {highest:.4g} eV"),
        ):
            if outside and getattr(self, key) == "refuse":
                raise InputError(
                    f"the quenching {what} can be seen",
                    where=f"target.quenching.{key} = 'refuse'",
                    hint=f"give a wider range, or say what is {key} it: 'zero' or 'constant'",
                )

    def unread(self) -> dict[str, str]:
        """Keys that change no count as the others are, and why."""
        if self.ends_ev()[0] > 0.0 or self.below is None:
            return {}
        return {"below": "the quenching begins at no recoil at all"}

    def _outside(self) -> dict[str, Any]:
        """What the tensors depend on besides the factor."""
        below = {} if self.ends_ev()[0] == 0.0 else {"below": self.below}
        return {**below, "above": self.above}


class TabulatedQuenching(_Ranged):
    """A table of the quenching factor, linear in the recoil energy.

    Attributes
    ----------
    file : DataFile
        Columns ``recoil_ev`` and ``quenching``, a fraction.
    below, above : {"zero", "constant", "refuse"}
        Outside the table nothing ionises, the first or last factor holds, or a recoil that could
        be seen is refused. A table that begins at 0 needs no ``below``.
    second : DataFile, optional
        Another table, with the columns of ``file``: an alternative, or the nominal one plus one
        standard deviation. It is interpolated to the rows of the first, and ends where it does.
    shift : float
        Share of the second table: (1 - shift) first + shift second. A pull that moves
        ``target.quenching.shift`` by 1 goes from the one to the other.
    """

    model: Literal["table"]
    file: Annotated[TableFile, Columns((("recoil_ev", RECOIL),))]
    second: Annotated[TableFile | None, Columns((("recoil_ev", RECOIL),))] = None
    shift: Annotated[float, Quantity("1", -3.0, 3.0)] = 0.0

    @model_validator(mode="after")
    def _sound(self) -> Self:
        for table in (self._table, self._second):
            if table is None:
                continue
            recoil, quenching = table["recoil_ev"], table["quenching"]
            table.require_increasing("recoil_ev")
            table.require(recoil >= 0.0, "recoil_ev is negative")
            table.require(quenching >= 0.0, "quenching is negative")
            largest = float(quenching.max())
            table.require(
                quenching <= 1.0,
                "quenching is above 1",
                f"as a fraction, {largest / 100:g} for {largest:g}?",
            )
            if recoil.size < 2:
                raise problem(f"{table.label} has one row", "give two or more")
        first, second = self._table, self._second
        if second is None:
            if self.shift:
                raise problem("missing key 'second'", f"shift = {self.shift:g} needs it")
            return self
        if second["recoil_ev"][0] > first["recoil_ev"][0] or (
            second["recoil_ev"][-1] < first["recoil_ev"][-1]
        ):
            raise problem(
                "the second table of quenching does not cover the first one",
                "let it go from its first to its last recoil",
            )
        factor = self._values()
        if factor.min() < 0.0 or factor.max() > 1.0:
            raise problem(
                f"with shift = {self.shift:g} the quenching is from {factor.min():.4g} to "
                f"{factor.max():.4g}, not between 0 and 1",
                "lower the shift",
            )
        return self

    @property
    def _table(self) -> Table:
        return self.file.table(("recoil_ev", "quenching"))

    @property
    def _second(self) -> Table | None:
        return None if self.second is None else self.second.table(("recoil_ev", "quenching"))

    def _values(self) -> FloatArray:
        first, second = self._table, self._second
        values = first["quenching"]
        if second is None or self.shift == 0.0:
            return values
        other = np.interp(first["recoil_ev"], second["recoil_ev"], second["quenching"])
        return values + self.shift * (other - values)

    def ends_ev(self) -> tuple[float, float]:
        """Recoils of the first and the last row."""
        recoil = self._table["recoil_ev"]
        return float(recoil[0]), float(recoil[-1])

    def _factor(self, recoil_ev: FloatArray) -> FloatArray:
        return np.interp(recoil_ev, self._table["recoil_ev"], self._values())

    def kinks_mev(self) -> FloatArray:
        """Recoils of the rows."""
        return self._table["recoil_ev"] / EV_PER_MEV

    def turns_mev(self) -> FloatArray:
        """The rows, and where T q(T) turns between two of them."""
        recoil, factor = self._table["recoil_ev"], self._values()
        slope = np.diff(factor) / np.diff(recoil)
        # T (a + b T) turns at -a / 2b.
        with np.errstate(divide="ignore", invalid="ignore"):
            turn = -(factor[:-1] - slope * recoil[:-1]) / (2.0 * slope)
            inside = (turn > recoil[:-1]) & (turn < recoil[1:])
        return np.sort(np.concatenate((recoil, turn[inside]))) / EV_PER_MEV

    def tensor_inputs(self) -> dict[str, Any]:
        """Describe what the response tensors depend on."""
        inputs = {"model": self.model, "file": self.file.sha256, **self._outside()}
        if self.second is not None and self.shift != 0.0:
            inputs |= {"second": self.second.sha256, "shift": self.shift}
        return inputs


class PolynomialQuenching(_Ranged):
    """Ionisation energy as a polynomial of the recoil energy, c_1 T + c_2 T**2 + ...

    Attributes
    ----------
    coefficients : list of float
        c_1, c_2, ...: the first one is the quenching factor at no recoil. A pull may move each by
        its number, ``target.quenching.coefficients.0``.
    energy_unit : {"eV", "keV", "MeV"}
        Of both energies.
    lowest_recoil_ev, highest_recoil_ev : float
        Range of the polynomial.
    below, above : {"zero", "constant", "refuse"}
        Outside the range nothing ionises, the quenching factor stays as at its end, or a recoil
        that could be seen is refused. A range that begins at 0 needs no ``below``.

    Notes
    -----
    CsI[Na] of COHERENT 2021 (data release of arXiv:2110.07730): 0.0554628, 4.30681, -111.707,
    840.384 in MeV. Argon of CENNS-10 (data release of arXiv:2006.12659): 0.246 +- 0.006,
    7.8e-4 +- 0.9e-4 in keV.
    """

    model: Literal["polynomial"]
    coefficients: Annotated[tuple[float, ...], Field(min_length=1, strict=False)]
    energy_unit: Literal["eV", "keV", "MeV"]
    lowest_recoil_ev: Annotated[NonNegative, RECOIL] = 0.0
    highest_recoil_ev: Annotated[Positive, RECOIL]

    @model_validator(mode="after")
    def _sound(self) -> Self:
        first, last = self.ends_ev()
        if first >= last:
            raise problem(
                f"lowest_recoil_ev = {first:g} is not below highest_recoil_ev = {last:g}",
                "correct the range",
            )
        # The factor is monotone between the roots of its slope.
        factor = np.polynomial.Polynomial(self._in_ev())
        places = np.array([first, *_real_roots(factor.deriv(), first, last), last])
        values = factor(places)
        for bad, what in ((values > 1.0, "above 1"), (values < 0.0, "negative")):
            if bad.any():
                i = int(np.argmax(bad))
                raise problem(
                    f"the quenching is {values[i]:.4g} at {places[i]:.4g} eV of recoil, {what}",
                    "correct coefficients, energy_unit or the range",
                )
        return self

    def _in_ev(self) -> FloatArray:
        """Coefficients of the quenching factor, in powers of the recoil energy in eV."""
        unit_ev = {"eV": 1.0, "keV": 1e3, "MeV": 1e6}[self.energy_unit]
        return np.array([c * unit_ev**-n for n, c in enumerate(self.coefficients)])

    def ends_ev(self) -> tuple[float, float]:
        """The range."""
        return self.lowest_recoil_ev, self.highest_recoil_ev

    def _factor(self, recoil_ev: FloatArray) -> FloatArray:
        return np.asarray(np.polynomial.polynomial.polyval(recoil_ev, self._in_ev()))

    def turns_mev(self) -> FloatArray:
        """Ends of the range, and where the ionisation energy turns."""
        first, last = self.ends_ev()
        energy = np.polynomial.Polynomial([0.0, *self._in_ev()])
        return np.array([first, *_real_roots(energy.deriv(), first, last), last]) / EV_PER_MEV

    def tensor_inputs(self) -> dict[str, Any]:
        """Describe what the response tensors depend on."""
        return {
            "model": self.model,
            "factor_per_ev": self._in_ev().tolist(),
            "range_ev": list(self.ends_ev()),
            **self._outside(),
        }


def _real_roots(polynomial: np.polynomial.Polynomial, low: float, high: float) -> list[float]:
    """Real roots inside a range, in order; of a constant none."""
    # In units of the range the coefficients are comparable.
    coefficients = np.asarray(polynomial.coef, dtype=float)
    scaled = np.trim_zeros(coefficients * high ** np.arange(coefficients.size), "b")
    roots = np.polynomial.polynomial.polyroots(scaled) if scaled.size > 1 else np.empty(0)
    real = [float(root.real) * high for root in roots if abs(root.imag) < 1e-9]
    return sorted(root for root in real if low < root < high)


Quenching: TypeAlias = Annotated[
    Lindhard | NoQuenching | TabulatedQuenching | PolynomialQuenching,
    Field(discriminator="model"),
    BeforeValidator(known_choice("model", ("lindhard", "none", "table", "polynomial"), "lindhard")),
]
