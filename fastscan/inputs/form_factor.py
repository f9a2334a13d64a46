"""Form factors of nuclei: how their density weakens coherence as the momentum transfer grows."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import Annotated, Any, Literal, Self, TypeAlias

import numpy as np
from pydantic import BeforeValidator, Field, model_validator

from fastscan.exceptions import InputError
from fastscan.inputs.quantities import Quantity
from fastscan.inputs.schema import Model, Positive, TableFile, known_choice, problem
from fastscan.inputs.tables import FloatArray, Table

__all__ = ["FormFactor", "Helm", "KleinNystrand", "SymmetrisedFermi", "TabulatedFormFactor"]

Length = Annotated[Positive, Quantity("fm", 0.1, 3.0)]
Radius = Annotated[Positive | None, Quantity("fm", 1.0, 15.0)]
RadiusScale = Annotated[Positive, Quantity("1", 0.5, 2.0)]
# Of F(0), which is one.
NORMALISATION_TOLERANCE = 1e-6


class _Shape(Model):
    """A density with a radius: the length that a nuisance, or the neutrons, may change."""

    radius_scale: RadiusScale = 1.0

    @abstractmethod
    def length_fm(self, mass_number: FloatArray) -> FloatArray:
        """The radius that the shape is written in, times ``radius_scale``."""

    @property
    @abstractmethod
    def _surface_squared_fm2(self) -> float:
        """What the surface adds to 3/5 radius**2 in the mean square radius."""

    @abstractmethod
    def _at(self, momentum_per_fm: FloatArray, radius_fm: FloatArray) -> FloatArray:
        """F at momenta, for any radii."""

    def rms_radius_fm(self, mass_number: FloatArray) -> FloatArray:
        """Root of the mean square radius of each nucleus, fm."""
        radius = self.length_fm(np.asarray(mass_number, dtype=float))
        return np.sqrt(0.6 * radius**2 + self._surface_squared_fm2)

    @property
    def smallest_rms_radius_fm(self) -> float:
        """That of the surface alone."""
        return math.sqrt(self._surface_squared_fm2)

    def at_rms_radius(self, momentum_per_fm: FloatArray, rms_radius_fm: FloatArray) -> FloatArray:
        """F of the same shape with another root mean square radius; arguments broadcast."""
        # Rounding may leave a square of -1e-17 at the smallest radius.
        squared = np.maximum(rms_radius_fm**2 - self._surface_squared_fm2, 0.0) / 0.6
        return self._at(momentum_per_fm, np.sqrt(squared))

    def amplitude(self, momentum_per_fm: FloatArray, mass_number: FloatArray) -> FloatArray:
        """F, with its sign, shape (q,)."""
        return self._at(momentum_per_fm, self.length_fm(np.asarray(mass_number, dtype=float)))

    def squared(self, momentum_per_fm: FloatArray, mass_number: float) -> FloatArray:
        """F**2 of one nucleus, shape (q,)."""
        return self.amplitude(momentum_per_fm, np.full_like(momentum_per_fm, mass_number)) ** 2

    def check(self, lightest: int) -> None:
        """Refuse lengths that leave no density for the lightest nucleus."""

    def kinks_per_fm(self) -> FloatArray:
        """Momenta at which F has a kink."""
        return np.empty(0)

    def tensor_inputs(self) -> dict[str, Any]:
        """Describe what the response tensors depend on; what is as if not there is left out."""
        settings = self.model_dump(exclude_none=True)
        if self.radius_scale == 1.0:
            del settings["radius_scale"]
        return settings


class Helm(_Shape):
    """3 j1(q R0)/(q R0) exp(-(q s)**2 / 2), R0**2 = c**2 + 7 pi**2 a**2/3 - 5 s**2.

    c = 1.23 A**(1/3) - 0.60 fm (Helm; Lewin and Smith 1996).

    Attributes
    ----------
    skin_thickness_fm, surface_thickness_fm : float
        s and a.
    radius_scale : float
        Factor on R0 of all nuclei: a nuisance, for instance.
    """

    model: Literal["helm"] = "helm"
    skin_thickness_fm: Length = 0.9
    surface_thickness_fm: Length = 0.52

    def radius_squared_fm2(self, mass_number: float) -> float:
        """Square of the diffraction radius R_0 (Helm; Lewin and Smith 1996, eq. (4.11))."""
        c = 1.23 * math.cbrt(mass_number) - 0.60
        a, s = self.surface_thickness_fm, self.skin_thickness_fm
        return c**2 + 7 / 3 * (math.pi * a) ** 2 - 5 * s**2

    def check(self, lightest: int) -> None:
        """Refuse a skin that is thicker than the nucleus."""
        radius_squared_fm2 = self.radius_squared_fm2(lightest)
        if radius_squared_fm2 <= 0:
            raise problem(
                f"the form factor's R_0^2 is {radius_squared_fm2:.3g} fm^2 at A = {lightest}",
                "lower skin_thickness_fm",
            )

    def length_fm(self, mass_number: FloatArray) -> FloatArray:
        """R0."""
        a, s = self.surface_thickness_fm, self.skin_thickness_fm
        c = 1.23 * np.cbrt(mass_number) - 0.60
        radius = np.sqrt(c**2 + 7.0 / 3.0 * (math.pi * a) ** 2 - 5.0 * s**2)
        return np.asarray(self.radius_scale * radius)

    @property
    def _surface_squared_fm2(self) -> float:
        return 3.0 * self.skin_thickness_fm**2

    def _at(self, momentum_per_fm: FloatArray, radius_fm: FloatArray) -> FloatArray:
        from fastscan.kernels.form_factor import helm

        return helm(momentum_per_fm, radius_fm, self.skin_thickness_fm)

    def squared(self, momentum_per_fm: FloatArray, mass_number: float) -> FloatArray:
        """F**2 of one nucleus, shape (q,)."""
        from fastscan.kernels.form_factor import helm_squared

        s, a = self.skin_thickness_fm, self.surface_thickness_fm
        values: FloatArray = helm_squared(momentum_per_fm, mass_number, s, a, self.radius_scale)
        return values


class KleinNystrand(_Shape):
    """3 j1(q R)/(q R) / (1 + (a q)**2), with R = 1.23 A**(1/3) fm unless it is given.

    A sphere folded with a Yukawa potential (Klein and Nystrand 1999). With the radius of the
    formula nuclei are larger than Helm's (rms 5.16 fm instead of 4.8 fm in caesium).

    Attributes
    ----------
    range_fm : float
        a.
    radius_fm : float, optional
        R of all nuclei.
    radius_scale : float
        Factor on R of all nuclei.
    """

    model: Literal["klein-nystrand"]
    range_fm: Length = 0.7
    radius_fm: Radius = None

    def length_fm(self, mass_number: FloatArray) -> FloatArray:
        """R."""
        given = self.radius_fm
        radius = 1.23 * np.cbrt(mass_number) if given is None else np.full_like(mass_number, given)
        return np.asarray(self.radius_scale * radius)

    @property
    def _surface_squared_fm2(self) -> float:
        return 6.0 * self.range_fm**2

    def _at(self, momentum_per_fm: FloatArray, radius_fm: FloatArray) -> FloatArray:
        from fastscan.kernels.form_factor import klein_nystrand

        return klein_nystrand(momentum_per_fm, radius_fm, self.range_fm)


class SymmetrisedFermi(_Shape):
    """Form factor of the density sinh(c/a) / [cosh(r/a) + cosh(c/a)], c = 1.23 A**(1/3) - 0.60 fm.

    Attributes
    ----------
    surface_fm : float
        a.
    radius_scale : float
        Factor on c of all nuclei.
    """

    model: Literal["symmetrised-fermi"]
    surface_fm: Length = 0.52

    def length_fm(self, mass_number: FloatArray) -> FloatArray:
        """The half-density radius c."""
        return np.asarray(self.radius_scale * (1.23 * np.cbrt(mass_number) - 0.60))

    @property
    def _surface_squared_fm2(self) -> float:
        return 1.4 * (math.pi * self.surface_fm) ** 2

    def _at(self, momentum_per_fm: FloatArray, radius_fm: FloatArray) -> FloatArray:
        from fastscan.kernels.form_factor import symmetrised_fermi

        return symmetrised_fermi(momentum_per_fm, radius_fm, self.surface_fm)


class TabulatedFormFactor(Model):
    """F of a table, for all nuclei of the target, linear in the square of the momentum transfer.

    Attributes
    ----------
    file : DataFile
        Columns ``momentum_mev``, from 0 on, and ``form_factor``: F, not F**2, 1 at its beginning.
        A momentum transfer beyond its end is refused.
    """

    model: Literal["table"]
    file: TableFile

    @model_validator(mode="after")
    def _sound(self) -> Self:
        table = self._table
        momentum, value = table["momentum_mev"], table["form_factor"]
        table.require_increasing("momentum_mev")
        first = np.arange(momentum.size) == 0
        table.require(
            ~first | (momentum == 0.0), "momentum_mev does not begin at 0", "add F = 1 at 0"
        )
        table.require(
            ~first | (abs(value - 1.0) < NORMALISATION_TOLERANCE),
            f"form_factor is {value[0]:g} without momentum transfer instead of 1",
            "divide it by its first value",
        )
        table.require(
            abs(value) <= 1.0 + NORMALISATION_TOLERANCE,
            "form_factor is not between -1 and 1",
            "give F, divided by its value at 0",
        )
        if momentum.size < 2:
            raise problem("form_factor has one row", "add those up to the largest momentum")
        return self

    @property
    def _table(self) -> Table:
        return self.file.table(("momentum_mev", "form_factor"))

    def check(self, lightest: int) -> None:
        """Nothing depends on the nucleus."""

    def rms_radius_fm(self, mass_number: FloatArray) -> FloatArray:
        """A table has none."""
        raise self._no_radius()

    @property
    def smallest_rms_radius_fm(self) -> float:
        """A table has none."""
        raise self._no_radius()

    def at_rms_radius(self, momentum_per_fm: FloatArray, rms_radius_fm: FloatArray) -> FloatArray:
        """A table has no other radius."""
        raise self._no_radius()

    def _no_radius(self) -> InputError:
        return InputError(
            "a table of the form factor has no radius that could be another one",
            where="target.form_factor",
            hint="choose helm, klein-nystrand or symmetrised-fermi",
        )

    def kinks_per_fm(self) -> FloatArray:
        """Momenta of the rows."""
        from fastscan.constants import HBAR_C_MEV_FM

        return self._table["momentum_mev"] / HBAR_C_MEV_FM

    def amplitude(self, momentum_per_fm: FloatArray, mass_number: FloatArray) -> FloatArray:
        """F, with its sign, shape (q,).

        Raises
        ------
        InputError
            A momentum beyond the table.
        """
        from fastscan.constants import HBAR_C_MEV_FM

        table = self._table
        squared = (momentum_per_fm * HBAR_C_MEV_FM) ** 2
        rows = table["momentum_mev"] ** 2
        if squared.size and squared.max() > rows[-1] * (1.0 + 1e-12):
            raise InputError(
                f"the form factor ends at {table['momentum_mev'][-1]:g} MeV, and recoils transfer "
                f"{math.sqrt(squared.max()):g} MeV",
                where=table.label,
                hint="let the table go on",
            )
        return np.interp(squared, rows, table["form_factor"])

    def squared(self, momentum_per_fm: FloatArray, mass_number: float) -> FloatArray:
        """F**2 of one nucleus, shape (q,)."""
        return self.amplitude(momentum_per_fm, np.full_like(momentum_per_fm, mass_number)) ** 2

    def tensor_inputs(self) -> dict[str, Any]:
        """Describe what the response tensors depend on."""
        return {"model": self.model, "file": self.file.sha256}


FormFactor: TypeAlias = Annotated[
    Helm | KleinNystrand | SymmetrisedFermi | TabulatedFormFactor,
    Field(discriminator="model"),
    BeforeValidator(
        known_choice("model", ("helm", "klein-nystrand", "symmetrised-fermi", "table"), "helm")
    ),
]
