"""Counts of a model in an experiment: its polynomials contracted with the response tensors."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from fastscan.counts.nodes import Nodes, RecoilNodes, moves_kinematics
from fastscan.exceptions import InputError, unknown_name
from fastscan.inputs import Experiment
from fastscan.models import Model, Recoils
from fastscan.models.atoms import InAtoms, in_target
from fastscan.models.elements import LEPTONS
from fastscan.models.polynomial import Monomial
from fastscan.models.sm import StandardModel
from fastscan.models.validation import check_model, checked_terms
from fastscan.tensors import CHANNELS, ChannelResponse, Response

__all__ = ["Signal", "build_signal", "channel_names", "integer_power", "sm_scale"]

FloatArray = NDArray[np.float64]
Value = TypeVar("Value", float, FloatArray)

# Couplings may be so large that counts overflow: callers look at the result, once, and say so.
_quiet_overflow = np.errstate(over="ignore", invalid="ignore")


def channel_names(channels: str) -> tuple[str, ...]:
    """Channels of the words ``both``, ``cevns`` and ``eves``."""
    words = {"both": CHANNELS, **{channel: (channel,) for channel in CHANNELS}}
    if channels not in words:
        raise unknown_name("channel", channels, words)
    return words[channels]


@dataclass(frozen=True)
class _Block:
    """Monomials that share powers of functions: nodes -> (monomial, bin), flattened."""

    nodes: int
    powers: tuple[tuple[str, int], ...]
    monomials: NDArray[np.int64]
    base: FloatArray


@dataclass(frozen=True, repr=False)
class Signal:
    """Counts of each observed bin as a polynomial in the free couplings.

    R_b = sum_m prod_c coupling_c**exponents[m, c] C[m, b], where C depends on shape parameters
    (a mediator mass) alone; see `coefficients`.

    Attributes
    ----------
    model : Model
    fixed : dict
        Parameters that were folded in.
    couplings, shape_parameters : tuple of str
        Free parameters: in the polynomial, and in the coefficients.
    exponents : (monomials, couplings)
    """

    model: Model
    fixed: dict[str, float]
    couplings: tuple[str, ...]
    shape_parameters: tuple[str, ...]
    exponents: NDArray[np.int64]
    constant: FloatArray
    nodes: tuple[Nodes, ...]
    blocks: tuple[_Block, ...]

    def __repr__(self) -> str:
        free = ", ".join((*self.couplings, *self.shape_parameters))
        return f"<Signal of {self.model.name}: {len(self.exponents)} monomials of {free}>"

    @property
    def function_powers(self) -> frozenset[Monomial] | None:
        """Products of functions that the coefficients hold; None where more is in them."""
        return frozenset(block.powers for block in self.blocks)

    @_quiet_overflow
    def coefficients(self, shape: Mapping[str, FloatArray] | None = None) -> FloatArray:
        """C[row, m, b] at rows of the shape parameters, shape (rows, monomials, bins).

        Every row is computed alike whatever the other rows are, so results are bit-identical for
        any chunking.
        """
        given = {} if shape is None else shape
        rows = next((np.size(value) for value in given.values()), 1)
        columns = {name: np.broadcast_to(value, rows) for name, value in given.items()}
        for name, value in self.fixed.items():
            columns.setdefault(name, np.full(rows, value))
        out = np.repeat(self.constant[None], rows, axis=0)
        if not self.blocks:
            return out
        # Compiled code takes longer to load than a limit without a mass takes.
        from fastscan.kernels.normal_form import contract_recoils

        bins = self.constant.shape[1]
        at_once = min(nodes.rows for nodes in self.nodes)
        for start in range(0, rows, at_once):
            part = slice(start, min(start + at_once, rows))
            values = {name: column[part] for name, column in columns.items()}
            functions = [nodes.functions(self.model, values) for nodes in self.nodes]
            for block in self.blocks:
                factors = self.nodes[block.nodes].factors(functions[block.nodes], block.powers)
                sums = np.zeros((factors.shape[0], block.base.shape[1]))
                contract_recoils(np.ascontiguousarray(factors), block.base, sums)
                if not np.isfinite(sums).all():
                    self.nodes[block.nodes].check(self.model, values)
                out[part, block.monomials] += sums.reshape(-1, block.monomials.size, bins)
        return out

    @_quiet_overflow
    def monomials(self, couplings: Mapping[str, FloatArray | float]) -> FloatArray:
        """Value of each monomial at points of the couplings, shape (points, monomials)."""
        points = max((np.size(value) for value in couplings.values()), default=1)
        out = np.ones((points, self.exponents.shape[0]))
        for c, name in enumerate(self.couplings):
            value = np.broadcast_to(np.asarray(couplings[name], dtype=float), points)
            for m, exponent in enumerate(self.exponents[:, c]):
                out[:, m] *= integer_power(value, int(exponent))
        return out

    @_quiet_overflow
    def counts(self, parameters: Mapping[str, float]) -> FloatArray:
        """Counts of each bin at one point of the free parameters, shape (bins,)."""
        shape = {name: np.array([parameters[name]]) for name in self.shape_parameters}
        monomials = self.monomials({name: parameters[name] for name in self.couplings})
        counts: FloatArray = monomials[0] @ self.coefficients(shape)[0]
        return counts


@dataclass(frozen=True)
class _Section:
    """A cross section contracted with the flux: counts of each node and bin, by monomial."""

    nodes: Nodes
    terms: Mapping[Monomial, FloatArray]


# Of the tensors of each channel, for the models that were used last: whatever is asked of a
# likelihood starts from them.
_Kept = tuple[Model, float, tuple[str, ...], list["_Section"]]
_SECTIONS: WeakKeyDictionary[ChannelResponse, deque[_Kept]] = WeakKeyDictionary()
_MODELS = 4


def _contracted(
    model: Model,
    experiment: Experiment,
    response: Response,
    channel: str,
    flavours: Sequence[str],
    flux_weights: FloatArray | None = None,
) -> list[_Section]:
    """Contract the cross section of a channel with its tensors; arguments as for `build_signal`.

    Flavours share the nodes of the tensors, on which they are added up: a point costs the same
    however many there are.
    Without weights it is done once for a model and the tensors.
    """
    own = response.channels[channel]
    scale = sm_scale(experiment, response)
    kept = _SECTIONS.setdefault(own, deque(maxlen=_MODELS))
    # Thresholds and weights of a model depend on more than the tensors.
    lasting = flux_weights is None and not moves_kinematics(model)
    if lasting:
        for of, scaled, among, sections in tuple(kept):
            if of is model and scaled == scale and among == tuple(flavours):
                return sections
    in_atoms = in_target(model, experiment.target)
    sections = []
    bases: dict[Monomial, FloatArray] = {}
    for flavour in flavours:
        recoils = Recoils.of(channel, own, flavour, experiment.target)
        kernel = scale * own.kernel(flux_weights, response.energy_bins(flavour))
        terms = checked_terms(in_atoms, recoils, (3, kernel.shape[1]))
        if moves_kinematics(model):
            from fastscan.counts.kinematics import Kinematics

            kinematics = Kinematics(model, experiment, channel, flavour, flux_weights)
            sections += [_Section(nodes, moving) for nodes, moving in kinematics.bases(scale)]
            terms = {
                monomial: term for monomial, term in terms.items() if not kinematics.kind(monomial)
            }
        found = {monomial: np.einsum("nt,ntb->tb", t, kernel[:3]) for monomial, t in terms.items()}
        if isinstance(in_atoms, InAtoms):
            for monomial, logarithmic in in_atoms.photons(recoils).items():
                found[monomial] = logarithmic[:, None] * kernel[3]
        for monomial, base in found.items():
            bases[monomial] = bases[monomial] + base if monomial in bases else base
    nodes = RecoilNodes(Recoils.of(channel, own, flavours[0], experiment.target))
    sections.append(_Section(nodes, bases))
    if lasting:
        kept.append((model, scale, tuple(flavours), sections))
    return sections


@_quiet_overflow
def build_signal(
    model: Model,
    experiment: Experiment,
    response: Response,
    *,
    channels: Iterable[str] = CHANNELS,
    flavours: Iterable[str] | None = None,
    fixed: Mapping[str, float] | None = None,
    flux_weights: FloatArray | None = None,
) -> Signal:
    """Contract a model with the response tensors.

    Parameters
    ----------
    model : Model
    experiment : Experiment
        Only its ``sm_expectation`` is used here.
    response : Response
        Tensors of the experiment.
    channels : iterable of str
        Any of `fastscan.tensors.CHANNELS`.
    flavours : iterable of str, optional
        Flavours of the neutrinos; by default all that the sources emit.
    fixed : mapping, optional
        Parameters to fold in; all others stay free.
    flux_weights : (energy bins,), optional
        Factor on the flux of each neutrino-energy bin.

    Raises
    ------
    InputError
        Unknown parameter, a value out of its range, or a model with a fault; see
        `fastscan.models.validation`.
    """
    check_model(model, _tried(experiment, response))
    fixed = {name: model.parameter(name).check(value) for name, value in (fixed or {}).items()}
    names = [channel for channel in CHANNELS if channel in set(channels)]
    emitted = [f for f in response.flavours if flavours is None or f in set(flavours)]
    sections = [
        section
        for channel in names
        for section in _contracted(model, experiment, response, channel, emitted, flux_weights)
    ]
    couplings = tuple(
        p.name for p in model.parameters if p.kind == "coupling" and p.name not in fixed
    )
    shape_parameters = tuple(
        p.name for p in model.parameters if p.kind == "shape" and p.name not in fixed
    )
    known = {p.name for p in model.parameters if p.kind == "coupling"}

    # By exponents of the free couplings, then by nodes and powers of functions.
    collected: dict[tuple[int, ...], dict[tuple[int, Monomial], FloatArray]] = {}
    for index, section in enumerate(sections):
        for monomial, base in section.terms.items():
            powers = dict(monomial)
            factor = math.prod(integer_power(fixed[n], p) for n, p in powers.items() if n in fixed)
            if factor == 0.0:
                continue
            exponents = tuple(powers.get(name, 0) for name in couplings)
            functions = tuple((n, p) for n, p in monomial if n not in known)
            entry = collected.setdefault(exponents, {})
            key = (index, functions)
            entry[key] = entry[key] + factor * base if key in entry else factor * base

    order = sorted(collected)
    bins = response.edges_ev.size - 1
    constant = np.zeros((len(order), bins))
    grouped: dict[tuple[int, Monomial], list[tuple[int, FloatArray]]] = {}
    for m, exponents in enumerate(order):
        for key, base in collected[exponents].items():
            if key[1]:
                grouped.setdefault(key, []).append((m, base))
            else:
                constant[m] += base.sum(axis=0)
    blocks = tuple(
        _Block(
            number,
            powers,
            np.array([m for m, _ in members]),
            np.ascontiguousarray(np.concatenate([base for _, base in members], axis=1)),
        )
        for (number, powers), members in grouped.items()
    )
    return Signal(
        model=model,
        fixed=dict(fixed),
        couplings=couplings,
        shape_parameters=shape_parameters,
        exponents=np.array(order, dtype=np.int64).reshape(len(order), len(couplings)),
        constant=constant,
        nodes=tuple(section.nodes for section in sections),
        blocks=blocks,
    )


def _tried(experiment: Experiment, response: Response) -> list[Recoils]:
    """Nodes that a model is checked at: all of one flavour, and two of every family."""
    every = []
    for name, channel in response.channels.items():
        every.append(Recoils.of(name, channel, response.flavours[0], experiment.target))
        every += [every[-1].first(2, f"nu_{lepton}") for lepton in LEPTONS]
    return every


def sm_scale(experiment: Experiment, response: Response) -> float:
    """Factor that brings the SM CEvNS total to the published expectation, one if none is given.

    Raises
    ------
    InputError
        An expectation is given but the experiment sees no CEvNS at all.
    """
    expectation = experiment.observation.sm_expectation
    if expectation is None:
        return 1.0
    channel, target = response.channels["cevns"], experiment.target
    default = StandardModel.parameters[0].standard
    total = 0.0
    for flavour in response.flavours:
        recoils = Recoils.of("cevns", channel, flavour, target)
        section = StandardModel().cross_section(recoils).terms
        kernel = channel.kernel(energy_bins=response.energy_bins(flavour))
        for monomial, value in section.items():
            power = dict(monomial).get("sin2_theta_w", 0)
            total += default**power * float(np.einsum("nt,ntb->", value, kernel))
    if total <= 0.0:
        raise InputError(
            "sm_expectation is given, but no CEvNS recoil reaches the bins",
            where=experiment.name,
            hint="lower the bins or leave sm_expectation out",
        )
    return expectation / total


def integer_power(values: Value, exponent: int) -> Value | float:
    """By multiplication: exactly rounded, hence the same alone and in an array of any length."""
    out: Value | float = 1.0
    for _ in range(exponent):
        out = out * values
    return out
