"""Terms of models that state least energies of their own, or weights of the flux.

Their sums run over nodes that do not depend on the kinks of the flux: recoil energies of panels,
with moments of the flux above an energy of the model's own, or neutrino energies, with a weight at
each. See `fastscan.tensors.panels`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from fastscan.counts.nodes import Nodes, Values, checked_functions, product
from fastscan.exceptions import InputError
from fastscan.inputs import Experiment
from fastscan.kernels.oscillations import weigh_cosines
from fastscan.kernels.thresholds import project_moments
from fastscan.models import Energies, Model, Oscillation, Recoils
from fastscan.models.flux_weights import kinematic_symbols, trial_shape
from fastscan.models.polynomial import Monomial
from fastscan.models.validation import check_functions
from fastscan.tensors.flux_table import FluxTable
from fastscan.tensors.legendre import LEGENDRE, NODES, ORDER, TO_CHEBYSHEV, WEIGHTS, tail
from fastscan.tensors.panels import EnergyPanels, load_panels

__all__ = ["EnergyNodes", "Kinematics", "ThresholdNodes"]

FloatArray = NDArray[np.float64]

# Last coefficients of a least energy's logarithm, and of a weight, up to which they are smooth.
_SMOOTH_ENERGY = 1e-9
_SMOOTH_WEIGHT = 1e-7


@dataclass(frozen=True)
class ThresholdNodes:
    """Recoil energies of panels, with moments of the flux above an energy of the model's own."""

    recoils: Recoils
    table: FluxTable
    rows: ClassVar[int] = 8

    def functions(self, model: Model, shape: Values) -> dict[str, FloatArray]:
        """The model's functions, shape (rows, 1, t), and moments, shape (rows, 3, t)."""
        found = {
            name: values[:, None]
            for name, values in checked_functions(model, self.recoils, shape).items()
        }
        for name, energy in model.minimum_energy(self.recoils, shape).items():
            found[name] = self._moments(model, name, energy, shape)
        return found

    def check(self, model: Model, shape: Values) -> None:
        """Refuse functions that are not finite."""
        check_functions(model, self.recoils, model.functions(self.recoils, shape), shape)

    def factors(self, functions: Values, powers: Monomial) -> FloatArray:
        """Shape (rows, 3 t)."""
        # Functions first, which are the same for all moments.
        *others, (name, _) = sorted(powers, key=lambda power: functions[power[0]].shape[1])
        moments = functions[name]
        every = moments
        if others:
            # Where no flux is left nothing scatters, however large a function is there.
            every = np.where(moments == 0.0, 0.0, product(functions, others) * moments)
        return every.reshape(len(every), -1)

    def _moments(self, model: Model, name: str, energy: FloatArray, shape: Values) -> FloatArray:
        rows = np.size(next(iter(shape.values()), 1.0))
        where = f"model {model.name}: minimum_energy, {name}"
        expected = (rows, self.recoils.recoil_energy_mev.size)
        energy = np.asarray(energy, dtype=float)
        if energy.shape != expected:
            raise InputError(
                f"shape {energy.shape} instead of {expected}",
                where=where,
                hint="one row for each of the shape parameters, one column for each recoil",
            )
        if not (energy > 0.0).all():
            raise InputError(
                f"{np.min(energy):g} is no energy",
                where=where,
                hint="give positive numbers in MeV; where nothing can happen, infinity",
            )
        # Infinite energies, as all that no flux reaches, only have to be large.
        logarithm = np.log(np.minimum(energy, np.finfo(float).max)).reshape(rows, -1, ORDER)
        out = np.empty((rows, 3, *logarithm.shape[1:]))
        panel = project_moments(
            self.table.edges_mev,
            np.log(self.table.edges_mev),
            self.table.kinks,
            self.table.tables,
            logarithm,
            TO_CHEBYSHEV,
            LEGENDRE,
            NODES,
            WEIGHTS,
            _SMOOTH_ENERGY,
            out,
        )
        if panel:
            recoil = self.recoils.recoil_energy_mev[ORDER * (abs(panel) - 1)]
            what = "is not smooth in the recoil energy"
            if panel < 0:
                what = f"is below {self.table.edges_mev[0] * 1e6:.2g} eV"
            raise InputError(
                f"the least energy {what} near {recoil * 1e6:.3g} eV",
                where=where,
                hint="state a formula that is smooth and positive at all recoil energies",
            )
        return out.reshape(rows, 3, -1)


@dataclass(frozen=True)
class EnergyNodes:
    """Neutrino energies, with the recoils that a massless final state allows.

    Attributes
    ----------
    energies : Energies
    panels : EnergyPanels
    share : (panels,)
        Largest share of each panel in the counts of any bin, of any monomial.
    """

    energies: Energies
    panels: EnergyPanels
    share: FloatArray
    rows: ClassVar[int] = 8

    def functions(self, model: Model, shape: Values) -> dict[str, FloatArray]:
        """The model's weights, shape (rows, e)."""
        rows = np.size(next(iter(shape.values()), 1.0))
        return {
            name: self._weight(model, name, weight, rows)
            for name, weight in model.weights(self.energies, shape).items()
        }

    def check(self, model: Model, shape: Values) -> None:
        """Weights are checked when they are asked for."""

    def factors(self, functions: Values, powers: Monomial) -> FloatArray:
        """Shape (rows, e)."""
        return product(functions, powers)

    def _weight(
        self, model: Model, name: str, weight: FloatArray | Oscillation, rows: int
    ) -> FloatArray:
        where = f"model {model.name}: weights, {name}"
        points = self.energies.energy_mev.size
        if isinstance(weight, Oscillation):
            phase = np.asarray(weight.phase_mev, dtype=float)
            damping = weight.damping_mev
            damping = np.zeros(rows) if damping is None else np.asarray(damping, dtype=float)
            if {phase.shape, damping.shape} != {(rows,)} or np.isnan(phase + damping).any():
                raise InputError(
                    "phase and damping of the oscillation are not numbers, one a row",
                    where=where,
                    hint=f"give arrays of shape ({rows},), in MeV",
                )
            out = np.empty((rows, points))
            panels = self.panels
            weigh_cosines(
                phase, damping, panels.centre_per_mev, panels.half_per_mev, NODES, LEGENDRE, out
            )
            return out
        values = np.asarray(weight, dtype=float)
        if values.shape != (rows, points) or not np.isfinite(values).all():
            raise InputError(
                f"no finite numbers of shape ({rows}, {points})",
                where=where,
                hint="one row for each of the shape parameters, one column for each energy",
            )
        last = tail(values.reshape(rows, -1, ORDER))
        error = (last * self.share).sum(axis=1)
        if (
            error > _SMOOTH_WEIGHT * np.maximum(np.abs(values).max(axis=1, initial=0.0), 1.0)
        ).any():
            panel = int((last * self.share).max(axis=0).argmax())
            near = self.energies.energy_mev[ORDER * panel]
            raise InputError(
                f"the weight varies too fast near {near:.3g} MeV to be integrated to "
                f"{_SMOOTH_WEIGHT:g} of the counts",
                where=where,
                hint="state it as an Oscillation, which is integrated exactly, or smooth it",
            )
        return values


class Kinematics:
    """Terms of one model and channel that need other nodes than those of the tensors.

    Parameters
    ----------
    model : Model
    experiment : Experiment
    channel, flavour : str
    flux_weights : (energy bins,), optional
        Factor on the flux of each neutrino-energy bin.
    """

    def __init__(
        self,
        model: Model,
        experiment: Experiment,
        channel: str,
        flavour: str,
        flux_weights: FloatArray | None = None,
    ) -> None:
        self._model, self._flux_weights = model, flux_weights
        self._response = load_panels(experiment)
        self._channel, self._panels = channel, self._response.channels[channel]
        self._flavour = flavour
        self._recoils = Recoils.of(channel, self._panels, flavour, experiment.target)
        self._experiment = experiment
        self.thresholds, self.weights = kinematic_symbols(
            model, self._recoils, self._energies(np.ones(1)), trial_shape(model)
        )

    def bases(self, scale: float) -> list[tuple[Nodes, dict[Monomial, FloatArray]]]:
        """Nodes, and what the factors of each term are multiplied by there, (nodes, bins)."""
        found: dict[str, dict[Monomial, FloatArray]] = {}
        expected = (3, self._panels.recoil_energy_mev.size)
        for monomial, value in self._model.cross_section(self._recoils).terms.items():
            kind = self.kind(monomial)
            if kind:
                coefficients = np.broadcast_to(value, expected)
                base = self._weight_base if kind == "weight" else self._threshold_base
                found.setdefault(kind, {})[monomial] = scale * base(coefficients)
        return [(self._nodes(kind, list(bases.values())), bases) for kind, bases in found.items()]

    def kind(self, monomial: Monomial) -> str:
        """``threshold`` or ``weight``; empty for a term that needs neither.

        Raises
        ------
        InputError
            A term with more than one of their symbols, or a weight and a function.
        """
        own = [(n, p) for n, p in monomial if n in self.thresholds | self.weights]
        if not own:
            return ""
        couplings = {p.name for p in self._model.parameters if p.kind == "coupling"}
        others = [n for n, _ in monomial if n not in couplings and n not in dict(own)]
        weight = own[0][0] in self.weights
        if len(own) > 1 or own[0][1] > 1 or (weight and others):
            names = [n if p == 1 else f"{n}**{p}" for n, p in own] + others
            raise InputError(
                f"a term holds {' * '.join(names)}",
                where=f"model {self._model.name}, {self._channel}",
                hint="a term may hold one symbol of minimum_energy and functions, or one of "
                "weights; a product of weights is a weight of its own",
            )
        return "weight" if weight else "threshold"

    def _threshold_base(self, coefficients: FloatArray) -> FloatArray:
        """What the moments are multiplied by, shape (3 t, bins)."""
        base = coefficients[:, :, None] * self._panels.response[None]
        return base.reshape(-1, base.shape[2])

    def _weight_base(self, coefficients: FloatArray) -> FloatArray:
        """What the weights are multiplied by, shape (e, bins)."""
        panels = self._energy_panels
        base = np.zeros((panels.energy_mev.size, self._panels.response.shape[1]))
        for n, row in enumerate(coefficients):
            if row.any():
                sums = self._panels.below(panels.energy_mev, row[:, None] * self._panels.response)
                base += (panels.weight * panels.energy_mev**-n)[:, None] * sums
        return base

    def _nodes(self, kind: str, bases: list[FloatArray]) -> Nodes:
        """Nodes of the terms of a kind, of which ``bases`` are all."""
        if kind == "threshold":
            table = self._response.flux_table(self._flavour, self._flux_weights)
            return ThresholdNodes(self._recoils, table)
        panels = self._energy_panels
        share = np.zeros(panels.centre_per_mev.size)
        for base in bases:
            counts = np.abs(base).reshape(share.size, -1, base.shape[1]).sum(axis=1)
            total = counts.sum(axis=0)
            share = np.maximum(share, (counts / np.where(total > 0.0, total, 1.0)).max(axis=1))
        return EnergyNodes(self._energies(panels.energy_mev), panels, share)

    @cached_property
    def _energy_panels(self) -> EnergyPanels:
        return self._response.energies(self._channel, self._flavour, self._flux_weights)

    def _energies(self, energy_mev: FloatArray) -> Energies:
        return Energies(energy_mev, self._experiment.name, self._experiment.distance_m)
