"""Sources of neutrinos: what they emit, in which flavours, and how much of it reaches a detector.

A source is a list of emissions, each of one flavour with its own spectrum. Those of one flavour and
the same energy bins are added up before anything else: a `Component` is what the response tensors
know. Every source gives a flux (per cm**2 and s, to be multiplied by live times) or a fluence (per
cm**2, of the whole exposure); an experiment has sources of one of the two.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, Self, TypeAlias

from pydantic import BeforeValidator, Field, model_validator

from fastscan.exceptions import unknown_name
from fastscan.inputs.quantities import Columns, Quantity
from fastscan.inputs.reactor import Reactor
from fastscan.inputs.schema import Model, NonNegative, Positive, TableFile, problem
from fastscan.inputs.solar import Solar
from fastscan.inputs.spectrum import negligible_below
from fastscan.inputs.tables import FloatArray, Table, read_only

__all__ = [
    "FLAVOURS",
    "AnySource",
    "Component",
    "Flavour",
    "LineSource",
    "PionDecay",
    "ReactorSource",
    "Source",
    "TableSource",
    "components_of",
]

Flavour = Literal["nu_e", "nubar_e", "nu_mu", "nubar_mu", "nu_tau", "nubar_tau"]
FLAVOURS: tuple[Flavour, ...] = (
    "nu_e",
    "nubar_e",
    "nu_mu",
    "nubar_mu",
    "nu_tau",
    "nubar_tau",
)

Flux = Annotated[Positive, Quantity("cm-2 s-1", 1e2, 1e16)]
Fluence = Annotated[Positive, Quantity("cm-2", 1e6, 1e22)]
ENERGY = Quantity("MeV", 1e-2, 100.0)
SHARES_TOLERANCE = 1e-3


class ReactorSource(Reactor):
    """A reactor as one of several sources; keys as of ``[reactor]``."""

    kind: Literal["reactor"]


class PionDecay(Model):
    """Pions and muons that stop and decay: nu_mu prompt, then nubar_mu and nu_e.

    The fluence of each flavour is r N / (4 pi L**2), for r pi+ that decay at rest for each of N
    protons on target. nu_mu: a line at (m_pi**2 - m_mu**2) / 2 m_pi = 29.79 MeV; the decay of the
    muon gives nubar_mu, 64 E**2 / m_mu**3 (3/4 - E/m_mu), and nu_e, 192 E**2 / m_mu**3
    (1/2 - E/m_mu), both up to m_mu/2. Decays in flight and captures of muons are left out.

    Attributes
    ----------
    protons_on_target : float
        Of the whole exposure: live times are not read.
    neutrinos_per_proton : float
        Of each flavour.
    distance_m : float
        From the target to the detectors.
    """

    kind: Literal["pion-decay"]
    protons_on_target: Annotated[Positive, Quantity("1", 1e17, 1e27)]
    neutrinos_per_proton: Annotated[Positive, Quantity("1", 1e-3, 1.0)]
    distance_m: Annotated[Positive, Quantity("m", 1.0, 1000.0)]

    quantity: ClassVar[str] = "fluence"
    flavours: ClassVar[tuple[Flavour, ...]] = ("nu_mu", "nubar_mu", "nu_e")
    energy_max_mev: ClassVar[float] = 53.0

    @property
    def fluence_per_cm2(self) -> float:
        """Of each flavour."""
        area_cm2 = 4.0 * math.pi * (100.0 * self.distance_m) ** 2
        return self.neutrinos_per_proton * self.protons_on_target / area_cm2

    @property
    def energy_bin_edges_mev(self) -> FloatArray:
        """One bin, shape (2,)."""
        return read_only([0.0, self.energy_max_mev])

    def unread(self, key: str) -> dict[str, str]:
        """Keys that change no count as the others are, and why; see `Experiment.unread`."""
        return {}

    def cautions(self) -> tuple[str, ...]:
        """Nothing is assumed that the settings leave open."""
        return ()

    def tensor_inputs(self) -> dict[str, Any]:
        """Describe what the response tensors depend on; see `Experiment.tensor_inputs`."""
        return {"kind": self.kind, "fluence_per_cm2": self.fluence_per_cm2}


class _Amount(Model):
    """A flux or a fluence: one of the two is given."""

    flux_per_cm2_s: Flux | None = None
    fluence_per_cm2: Fluence | None = None

    @property
    def quantity(self) -> str:
        """``flux`` or ``fluence``."""
        return "flux" if self.flux_per_cm2_s is not None else "fluence"

    @property
    def amount(self) -> float:
        """The flux or the fluence."""
        return self.flux_per_cm2_s or self.fluence_per_cm2 or 0.0

    def _check_amount(self, *others: str) -> None:
        keys = ("flux_per_cm2_s", "fluence_per_cm2", *others)
        given = [key for key in keys if getattr(self, key) is not None]
        if len(given) != 1:
            what = f"{' and '.join(given)} are both given" if given else "no flux is given"
            raise problem(what, f"give one of {', '.join(keys)}")

    def unread(self, key: str) -> dict[str, str]:
        """Keys that change no count as the others are, and why; see `Experiment.unread`."""
        return {}


class LineSource(_Amount):
    """Neutrinos of one or a few energies, as electron capture gives them.

    Attributes
    ----------
    flavour : str
    energies_mev : list of float
    shares : list of float
        Of each energy; may be left out where there is one.
    flux_per_cm2_s, fluence_per_cm2 : float
        Of all energies together: one of the two.
    distance_m : float
        To the detectors; read by models in which neutrinos oscillate alone.
    """

    kind: Literal["line"]
    flavour: Flavour
    energies_mev: Annotated[tuple[Positive, ...], Field(min_length=1, strict=False), ENERGY]
    shares: Annotated[tuple[NonNegative, ...], Field(strict=False)] = ()
    distance_m: Annotated[Positive | None, Quantity("m", 0.1, 1000.0)] = None

    @model_validator(mode="after")
    def _sound(self) -> Self:
        self._check_amount()
        if len(self.energies_mev) > 1 or self.shares:
            if len(self.shares) != len(self.energies_mev):
                raise problem(
                    f"{len(self.shares)} shares for {len(self.energies_mev)} energies_mev",
                    "give one for each",
                )
            total = math.fsum(self.shares)
            if abs(total - 1.0) > SHARES_TOLERANCE:
                raise problem(f"shares add up to {total:.6g} instead of 1", "correct them")
        return self

    @property
    def flavours(self) -> tuple[Flavour, ...]:
        """The one it has."""
        return (self.flavour,)

    @property
    def energy_bin_edges_mev(self) -> FloatArray:
        """One bin, shape (2,)."""
        return read_only([0.0, max(self.energies_mev)])

    def cautions(self) -> tuple[str, ...]:
        """Nothing is assumed that the settings leave open."""
        return ()

    def tensor_inputs(self) -> dict[str, Any]:
        """Describe what the response tensors depend on; see `Experiment.tensor_inputs`."""
        lines = [list(self.energies_mev), list(self.shares or (1.0,))]
        return {"kind": self.kind, "flavour": self.flavour, "lines": lines, "amount": self.amount}


class TableSource(_Amount):
    """A spectrum of one flavour from a file.

    Attributes
    ----------
    flavour : str
    file : DataFile
        Columns ``energy_mev`` and ``per_mev``; nothing is above its last energy. It has to begin
        at zero energy (or so near that nothing is missing), or ``below`` says that there is
        nothing.
    flux_per_cm2_s, fluence_per_cm2 : float
        What the whole table is normalised to: one of the two, or else
    unit : str
        of the table as it stands, ``cm-2 s-1 MeV-1`` or ``cm-2 MeV-1``.
    interpolation : str
        ``logarithmic``: the logarithm by cubics, where a neighbour is zero the spectrum itself
        linearly; or ``linear``.
    below : str
        ``none``: there are no neutrinos below the first energy.
    """

    kind: Literal["table"]
    flavour: Flavour
    file: Annotated[TableFile, Columns((("energy_mev", Quantity("MeV", 0.1, 1e3)),))]
    unit: Literal["cm-2 s-1 MeV-1", "cm-2 MeV-1"] | None = None
    interpolation: Literal["logarithmic", "linear"] = "logarithmic"
    below: Literal["none"] | None = None

    @model_validator(mode="after")
    def _sound(self) -> Self:
        self._check_amount("unit")
        table = self.table
        table.require(table["energy_mev"] >= 0.0, "energy_mev is negative")
        table.require_increasing("energy_mev")
        table.require(table["per_mev"] >= 0.0, "per_mev is negative")
        energy, values = table["energy_mev"], table["per_mev"]
        if energy.size < 2 or not values.any():
            raise problem("the spectrum is empty", "name the file that was meant")
        if self.below is None and energy[0] > 0.0 and not negligible_below(energy, values):
            raise problem(
                f"{self.file.path.name} begins at {energy[0]:g} MeV, and nothing says what is "
                "below",
                "write below = 'none', or let the table begin at 0",
            )
        if energy[0] == 0.0 and self.below is not None:
            raise problem("below is given, and the table begins at 0", "leave it out")
        return self

    @property
    def table(self) -> Table:
        """The file's table."""
        return self.file.table(("energy_mev", "per_mev"))

    @property
    def quantity(self) -> str:
        """``flux`` or ``fluence``."""
        if self.unit is not None:
            return "flux" if "s-1" in self.unit else "fluence"
        return super().quantity

    @property
    def flavours(self) -> tuple[Flavour, ...]:
        """The one it has."""
        return (self.flavour,)

    @property
    def energy_bin_edges_mev(self) -> FloatArray:
        """One bin, shape (2,)."""
        return read_only([0.0, self.table["energy_mev"][-1]])

    def cautions(self) -> tuple[str, ...]:
        """What is not in the table."""
        first = float(self.table["energy_mev"][0])
        if self.below is None or not first:
            return ()
        return (f"{self.file.path.name} begins at {first:g} MeV; there are no neutrinos below it",)

    def tensor_inputs(self) -> dict[str, Any]:
        """Describe what the response tensors depend on; see `Experiment.tensor_inputs`."""
        return {
            "kind": self.kind,
            "flavour": self.flavour,
            "spectrum": self.file.sha256,
            "interpolation": self.interpolation,
            "below": self.below,
            "amount": self.amount,
        }


Source: TypeAlias = Reactor | PionDecay | Solar | TableSource | LineSource
_KINDS = ("reactor", "pion-decay", "solar", "table", "line")


def _known_kind(value: Any) -> Any:
    if isinstance(value, dict):
        if "kind" not in value:
            raise problem("missing key 'kind'", f"one of {', '.join(_KINDS)}")
        if value["kind"] not in _KINDS:
            error = unknown_name("kind of source", str(value["kind"]), _KINDS)
            raise problem(error.what, error.hint)
    return value


AnySource = Annotated[
    Annotated[
        ReactorSource | PionDecay | Solar | TableSource | LineSource,
        Field(discriminator="kind"),
    ],
    BeforeValidator(_known_kind),
]


@dataclass(frozen=True)
class Component:
    """Neutrinos of one flavour: what all sources emit of it in the same energy bins.

    Attributes
    ----------
    flavour : str
    energy_bin_edges_mev : (bins + 1,)
    sources : tuple of int
        Which sources emit it.
    """

    flavour: Flavour
    energy_bin_edges_mev: tuple[float, ...]
    sources: tuple[int, ...]


def components_of(sources: Sequence[Source]) -> tuple[Component, ...]:
    """Components of the neutrinos of some sources, in the order in which they first come."""
    found: dict[tuple[Any, tuple[float, ...]], list[int]] = {}
    for i, source in enumerate(sources):
        edges = tuple(map(float, source.energy_bin_edges_mev))
        for flavour in source.flavours:
            found.setdefault((flavour, edges), []).append(i)
    return tuple(Component(key[0], key[1], tuple(own)) for key, own in found.items())
