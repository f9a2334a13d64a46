"""Nuisances of an experiment: from its systematics to the changes of its counts.

Counts are linear in the nuisances. For settings this is the first order, by central differences
between +1 and -1 standard deviation, and nuisances add up where their factors would multiply. In
``conus-plus-shapes`` the quadratic part of the SM counts is 1.4 % (quenching k +- 0.004) and 3.1 %
(energy scale +- 3.54 %) of the linear one, at one standard deviation. Counts predicted again at
every value of the settings move 90 % limits of the weak mixing angle by 0.1 % for the quenching
alone, 0.5 % for the energy scale alone and 0.8 % for both, and of a 10 MeV vector's coupling by
0.2, 1.0 and 1.5 %; the linear limits are the weaker ones. Second derivatives would bring them to
within 0.03 %, but without the products of all orders signals far above the data would have false
minima in the nuisances.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fastscan.counts.counts import Counts, Part
from fastscan.counts.signal import Signal, build_signal, sm_scale
from fastscan.exceptions import InputError
from fastscan.inputs import ALPHA, Experiment, Pull
from fastscan.models import Model, get_model
from fastscan.tensors import CHANNELS, Response, load_response

__all__ = ["Nuisances", "background_counts"]

FloatArray = NDArray[np.float64]
Progress = Callable[[str, float], None]

# Less than this of the counts is the error of the tensors, not a change.
_NO_CHANGE = 1e-7
# More than this of the linear change in the quadratic one is no linear nuisance any more.
_CURVED = 0.5


@dataclass(frozen=True)
class _Nuisance:
    """One component: a pull, one eigenvector of a flux-shape, or the normalisation of all."""

    name: str
    kind: str
    # Change of the normalisation of each channel, in the order of CHANNELS.
    channels: tuple[float, ...] = (0.0, 0.0)
    # Factor added to the flux of each energy bin.
    flux: FloatArray | None = None
    # Relative change, or added counts, of each observed bin.
    bins: FloatArray | None = None
    # The experiment with its settings moved down and up by one standard deviation.
    moved: tuple[tuple[Experiment, Response], ...] = ()
    # Of a background: the relative change of its size, and whether the counts alone constrain it.
    size: float = 0.0
    free: bool = False


@dataclass(frozen=True)
class Nuisances:
    """Nuisance parameters, and the tensors of the settings that they move.

    Attributes
    ----------
    names : tuple of str
        A flux-shape called ``spectrum`` is ``spectrum 1``, ``spectrum 2``, …, the eigenvectors of
        its covariance; the nuisance of sigma_alpha is ``normalisation``.
    correlation : (names, names)
    sigma_alpha : float or None
        Relative standard deviation of the counts if all nuisances are normalisations of
        everything, which together are one; None otherwise.
    """

    names: tuple[str, ...]
    correlation: FloatArray
    sigma_alpha: float | None
    _nuisances: tuple[_Nuisance, ...] = field(repr=False)

    @classmethod
    def load(
        cls,
        experiment: Experiment,
        tables: str | Path | None = None,
        progress: Progress | None = None,
        *,
        variants: bool = True,
    ) -> Nuisances:
        """Read the systematics of an experiment, and the tensors of its moved settings.

        Parameters
        ----------
        experiment : Experiment
        tables : path, optional
            Directory of the tensor stores; those of moved settings are built there on first use,
            two for each pull.
        progress : callable, optional
            Called with a label and the fraction done while tensors are built.
        variants : bool
            Whether tensors may be read or built.

        Raises
        ------
        InputError
            A pull of settings has no effect on the counts, or needs tensors that may not be read.
        """
        systematics = experiment.systematics
        found: list[_Nuisance] = []
        owner: list[int] = []
        if systematics.sigma_alpha is not None:
            found.append(_Nuisance(ALPHA, "normalisation", (systematics.sigma_alpha,) * 2))
            owner.append(0)
        to_build = sum(pull.kind == "setting" for pull in systematics.pulls)
        built = 0
        response: Response | None = None
        for pull in systematics.pulls:
            own: list[_Nuisance]
            if pull.kind == "setting":
                if not variants:
                    raise InputError(
                        f"pull {pull.name!r} needs the tensors of moved settings",
                        where=experiment.name,
                        hint="give nuisances=Nuisances.load(experiment, tables)",
                    )
                if response is None:
                    response = load_response(experiment, tables, progress)
                report = _share(progress, built, to_build)
                sides = _moved(experiment, response, pull, tables, report)
                own = [_Nuisance(pull.name, pull.kind, moved=sides)]
                built += 1
            else:
                own = _unmoved(experiment, pull)
            owner += [systematics.names.index(pull.name)] * len(own)
            found += own
        backgrounds = _backgrounds(experiment)
        # Components of one pull are independent; those of two share the correlation of these.
        correlation = systematics.correlation[np.ix_(owner, owner)]
        same = np.equal.outer(owner, owner) & ~np.eye(len(owner), dtype=bool)
        correlation = np.where(same, 0.0, correlation)
        sigmas = np.array([nuisance.channels[0] for nuisance in found])
        everything = all(
            nuisance.kind == "normalisation" and len(set(nuisance.channels)) == 1
            for nuisance in found
        )
        sigma_alpha = float(np.sqrt(sigmas @ correlation @ sigmas)) if everything else None
        if sigma_alpha is not None and len(found) == 1:
            sigma_alpha = float(sigmas[0])  # not the root of its square
        return cls._with_backgrounds(correlation, sigma_alpha, found, backgrounds)

    @classmethod
    def _with_backgrounds(
        cls,
        correlation: FloatArray,
        sigma_alpha: float | None,
        found: Sequence[_Nuisance],
        backgrounds: Sequence[_Nuisance],
    ) -> Nuisances:
        """Those of the signal, and of backgrounds, which are correlated with nothing."""
        every = (*found, *backgrounds)
        whole = np.eye(len(every))
        whole[: len(found), : len(found)] = correlation
        names = tuple(nuisance.name for nuisance in every)
        return cls(names, whole, None if backgrounds else sigma_alpha, every)

    def reloaded(
        self,
        experiment: Experiment,
        tables: str | Path | None = None,
        progress: Progress | None = None,
    ) -> Nuisances:
        """The same for an experiment of other tensors or bins, if they need either."""
        if not any(nuisance.moved or nuisance.bins is not None for nuisance in self._nuisances):
            return self
        return Nuisances.load(experiment, tables, progress)

    @classmethod
    def normalisation(cls, sigma_alpha: float, experiment: Experiment) -> Nuisances:
        """A normalisation of all signals, of a relative standard deviation, and the backgrounds."""
        found = _Nuisance(ALPHA, "normalisation", (sigma_alpha, sigma_alpha))
        return cls._with_backgrounds(np.eye(1), sigma_alpha, (found,), _backgrounds(experiment))

    def counts(
        self,
        model: Model,
        experiment: Experiment,
        response: Response,
        *,
        names: Sequence[str] | None = None,
        seen: FloatArray | None = None,
        channels: Sequence[str] = CHANNELS,
        fixed: Mapping[str, float] | None = None,
        flux_weights: FloatArray | None = None,
        merge: bool = True,
    ) -> Counts:
        """Counts of a model and their change by each nuisance.

        Parameters
        ----------
        model : Model
        experiment, response : Experiment, Response
            Those that the nuisances were loaded for, and its tensors.
        names : sequence of str, optional
            Free parameters, in the order of points; by default all that are not fixed.
        seen : (bins,), optional
            Counts seen; by default those of the experiment.
        channels : sequence of str
            Any of `fastscan.tensors.CHANNELS`.
        fixed : mapping, optional
            Parameters to fold in.
        flux_weights : (energy bins,), optional
            Factor on the flux of each antineutrino-energy bin.
        merge : bool
            Combine normalisations that act on the same channels, and are correlated with nothing
            else, into one pull each; see `columns`. Parallel pulls would cost digits.

        Raises
        ------
        InputError
            See `build_signal`; or weights that do not fit the energy bins of moved settings.
        """
        pulls, mixed = self.columns(channels, merge=merge)

        def signal(
            of: tuple[Experiment, Response] = (experiment, response),
            group: Sequence[str] = channels,
            weights: FloatArray | None = flux_weights,
        ) -> Signal:
            return build_signal(model, *of, channels=group, fixed=fixed, flux_weights=weights)

        split = any(n.channels[0] != n.channels[1] for n in self._nuisances) and len(channels) > 1
        groups = [(channel,) for channel in channels] if split else [tuple(channels)]
        signals = [signal(group=group) for group in groups]
        bins = response.edges_ev.size - 1
        # One row of weights of the signals for each nuisance.
        rows: list[list[tuple[int, FloatArray]]] = []
        for nuisance in self._nuisances:
            row: list[tuple[int, FloatArray]] = []
            for g, group in enumerate(groups):
                factor = nuisance.channels[CHANNELS.index(group[0])]
                if factor != 0.0:
                    row.append((g, np.full(bins, factor)))
                if nuisance.kind == "efficiency" and nuisance.bins is not None:
                    row.append((g, nuisance.bins))
            if nuisance.kind in ("template", "background") and nuisance.bins is not None:
                row.append((len(signals), nuisance.bins))
                signals.append(_constant(signals[0], bins))
            if nuisance.flux is not None:
                weights = nuisance.flux if flux_weights is None else nuisance.flux * flux_weights
                row.append((len(signals), np.ones(bins)))
                signals.append(signal(weights=weights))
            for sign, (moved, moved_response) in zip((-0.5, 0.5), nuisance.moved, strict=False):
                if flux_weights is not None and moved_response.bin_flux_per_cm2_s.size != len(
                    flux_weights
                ):
                    raise InputError(
                        f"flux weights do not fit the energy bins of pull {nuisance.name!r}",
                        where="--flux-weights",
                        hint="leave out the weights or the pull",
                    )
                scale = sm_scale(experiment, response)
                row.append((len(signals), np.full(bins, sign * scale)))
                signals.append(signal((moved, moved_response)))
            rows.append(row)
        known = background_counts(experiment)
        if known.any():
            signals.append(_constant(signals[0], bins))
        by_nuisance = np.zeros((len(rows), len(signals), bins))
        for k, row in enumerate(rows):
            for v, weight in row:
                by_nuisance[k, v] += weight
        mixing = np.zeros((1 + len(pulls), len(signals), bins))
        mixing[0, : len(groups)] = 1.0
        if known.any():
            mixing[0, -1] = known
        mixing[1:] = np.einsum("jk,kvb->jvb", mixed, by_nuisance)
        # What cancels has to be zero: at signals of 1e20 its rounding would not be small.
        largest = np.abs(mixing).max(axis=(1, 2), keepdims=True)
        mixing[np.abs(mixing) < 1e-13 * largest] = 0.0
        sigma = np.asarray(experiment.observation.sigma, dtype=float)
        seen = experiment.observation.counts if seen is None else seen
        counted = experiment.observation.counted
        folded = signals[0].fixed
        free = [p.name for p in model.parameters if p.name not in folded]
        return Counts(
            tuple(model.parameter(name) for name in (free if names is None else names)),
            folded,
            (
                Part(
                    experiment.name,
                    tuple(signals),
                    mixing,
                    np.asarray(seen, dtype=float),
                    sigma,
                    poisson=counted,
                ),
            ),
            pulls,
            self._centre(channels, mixed),
            self.sigma_alpha if not counted and (merge or len(self.names) == 1) else None,
            tuple(nuisance.name for nuisance in self._nuisances if nuisance.free),
            self._floors(channels, mixed) if counted else np.empty((0, 1 + len(pulls))),
        )

    def columns(
        self, channels: Sequence[str] = CHANNELS, *, merge: bool = True
    ) -> tuple[tuple[str, ...], FloatArray]:
        """Independent standard normal pulls v that the nuisances beta are made of.

        Correlated nuisances beta = L u have L the Cholesky factor of their correlation: the first
        of two is the pull of its name, the second what it has of its own. Normalisations that are
        correlated with no other kind are as many pulls as there are channels that they move apart:
        mostly one, of the root of the sum of their squares.

        Returns
        -------
        names : tuple of str
            Of the pulls.
        weights : (pulls, nuisances)
            W: counts change by sum_k W[j, k] t_k for pull j, where t_k is their change for one
            standard deviation of nuisance k; and the most probable nuisances for given pulls are
            beta = v W.
        """
        merged = self._free_normalisations() if merge else []
        acting = self._acting(channels)[:, merged]
        inner = self.correlation[np.ix_(merged, merged)]
        factor, pivots = _pivoted_cholesky(acting @ inner @ acting.T)
        # As many as there were: rotated all the same, for in the channel of the first the others
        # are zero then, and large signals in it cost no digits.
        if not pivots or len(merged) < 2:
            merged = []
        names: list[str] = []
        weights = np.zeros((0, len(self.names)))
        if merged:
            weights = np.zeros((len(pivots), len(self.names)))
            # The expectation of the nuisances, given the change F v of the channels.
            weights[:, merged] = np.linalg.pinv(factor) @ acting @ inner
            names = [ALPHA]
            if len(pivots) > 1:
                names = [f"{ALPHA} of {channels[pivot]}" for pivot in pivots]
        others = [k for k in range(len(self.names)) if k not in merged]
        rest = np.zeros((len(others), len(self.names)))
        rest[:, others] = np.linalg.cholesky(self.correlation[np.ix_(others, others)]).T
        names += [self.names[k] for k in others]
        return tuple(names), np.concatenate([weights, rest])

    def correlated_with(self, name: str) -> tuple[str, ...]:
        """Other nuisances that one is correlated with; none of a name that is not there."""
        if name not in self.names:
            return ()
        row = self.correlation[self.names.index(name)]
        return tuple(n for n, rho in zip(self.names, row, strict=True) if rho != 0.0 and n != name)

    def _free_normalisations(self) -> list[int]:
        """Normalisations that no chain of correlations connects with another kind."""
        linked = self.correlation != 0.0
        for _ in self.names:
            linked = linked @ linked
        plain = np.array([nuisance.kind == "normalisation" for nuisance in self._nuisances])
        return [k for k in range(plain.size) if plain[linked[k]].all()]

    def _acting(self, channels: Sequence[str]) -> FloatArray:
        """Relative change of each channel by each nuisance, shape (channels, nuisances)."""
        used = [CHANNELS.index(channel) for channel in channels]
        return np.array([nuisance.channels for nuisance in self._nuisances]).T[used]

    def _floors(self, channels: Sequence[str], weights: FloatArray) -> FloatArray:
        """Factors of each channel and of each background, which are not negative."""
        plain = np.array([nuisance.kind == "normalisation" for nuisance in self._nuisances])
        changes = [row for row in (self._acting(channels) * plain) @ weights.T if row.any()]
        for k, nuisance in enumerate(self._nuisances):
            if nuisance.kind == "background":
                changes.append(nuisance.size * weights[:, k])
        found = np.unique(np.reshape(changes, (len(changes), len(weights))), axis=0)
        return np.column_stack([np.ones(len(found)), found])

    def _centre(self, channels: Sequence[str], weights: FloatArray) -> FloatArray:
        """Pulls that take all counts away, those of all channels that a normalisation moves."""
        moved = self._acting(channels) @ weights.T
        if weights.shape[0] == 1:
            largest = moved.max()
            return np.array([1.0 / largest if largest > 0.0 else 0.0])
        other = [k for k, n in enumerate(self._nuisances) if n.kind != "normalisation"]
        conditions = np.concatenate([moved, weights.T[other]])
        right = np.concatenate([np.ones(len(moved)), np.zeros(len(other))])
        centre: FloatArray = np.linalg.lstsq(conditions, right, rcond=1e-12)[0]
        return np.where(np.abs(centre) > 1e-12 * np.abs(centre).max(initial=0.0), centre, 0.0)


def _pivoted_cholesky(matrix: FloatArray) -> tuple[FloatArray, list[int]]:
    """F with F F^T = matrix, one column for each dimension it really has, and their rows."""
    rest = matrix.copy()
    smallest = 1e-12 * np.diag(matrix).max(initial=0.0)
    columns: list[FloatArray] = []
    pivots: list[int] = []
    while len(pivots) < len(matrix) and np.diag(rest).max() > smallest:
        pivot = int(np.diag(rest).argmax())
        column = rest[:, pivot] / np.sqrt(rest[pivot, pivot])
        rest = rest - np.outer(column, column)
        columns.append(column)
        pivots.append(pivot)
    return np.array(columns).T.reshape(len(matrix), len(columns)), pivots


def _backgrounds(experiment: Experiment) -> list[_Nuisance]:
    """Sizes of backgrounds that are not known exactly, and their variations."""
    edges_ev = experiment.observation.edges_ev
    found = []
    for background in experiment.backgrounds:
        counts = background.counts(edges_ev)
        size = 1.0 if background.free else background.sigma or 0.0
        if size:
            found.append(
                _Nuisance(
                    background.name,
                    "background",
                    bins=size * counts,
                    size=size,
                    free=background.free,
                )
            )
        for variation in background.variations:
            change = variation.change(counts, edges_ev)
            found.append(_Nuisance(f"{background.name} {variation.name}", "template", bins=change))
    return found


def background_counts(experiment: Experiment) -> FloatArray:
    """Counts of all backgrounds together, shape (bins,)."""
    edges_ev = experiment.observation.edges_ev
    counts = np.zeros(edges_ev.size - 1)
    for background in experiment.backgrounds:
        counts += background.counts(edges_ev)
    return counts


def _unmoved(experiment: Experiment, pull: Pull) -> list[_Nuisance]:
    """Components of a pull that needs no other tensors than those of the experiment."""
    if pull.kind == "normalisation":
        acting = [pull.sigma if pull.channel in (None, channel) else 0.0 for channel in CHANNELS]
        return [_Nuisance(pull.name, pull.kind, (acting[0], acting[1]))]
    if pull.kind == "flux-shape":
        shapes = pull.flux_shapes(experiment.energy_bin_edges_mev)
        return [
            _Nuisance(f"{pull.name} {i}", pull.kind, flux=shape)
            for i, shape in enumerate(shapes, start=1)
        ]
    return [_Nuisance(pull.name, pull.kind, bins=pull.bin_changes(experiment.observation.edges_ev))]


def _moved(
    experiment: Experiment,
    response: Response,
    pull: Pull,
    tables: str | Path | None,
    progress: Progress | None,
) -> tuple[tuple[Experiment, Response], ...]:
    """The experiment moved down and up by one standard deviation, with tensors."""
    sides = []
    for i, deviations in enumerate((-1.0, 1.0)):
        moved = experiment.pulled(pull, deviations)

        def report(label: str, done: float, i: int = i) -> None:
            if progress is not None:
                progress(f"{pull.name}, {label}", 0.5 * (i + done))

        sides.append((moved, load_response(moved, tables, report)))
    model = get_model("sm")
    fixed = {p.name: p.standard for p in model.parameters}
    down, up = (build_signal(model, *side, fixed=fixed).counts({}) for side in sides)
    if np.abs(up - down).max() <= _NO_CHANGE * np.abs(up).max():
        raise InputError(
            f"pull {pull.name!r} changes no count",
            where=", ".join(pull.settings),
            hint="per-kg counts do not change with all masses together, nor with a thermal power "
            "that does not set the flux: use kind = 'normalisation'",
        )
    nominal = build_signal(model, experiment, response, fixed=fixed).counts({})
    nominal /= sm_scale(experiment, response)
    curvature = np.abs(0.5 * (up + down) - nominal).sum() / np.abs(0.5 * (up - down)).sum()
    if curvature > _CURVED:
        raise InputError(
            f"pull {pull.name!r} is not linear: at one standard deviation its quadratic part is "
            f"{curvature:.2g} of the linear one",
            where=", ".join(pull.settings),
            hint="lower the change; thresholds at the edge of a bin lose counts whichever way they "
            "move: move ionisation.energy_scale instead",
        )
    return tuple(sides)


def _share(progress: Progress | None, index: int, count: int) -> Progress | None:
    """Progress of one part of several alike."""
    if progress is None:
        return None
    return lambda label, done: progress(label, (index + done) / count)


def _constant(signal: Signal, bins: int) -> Signal:
    """One count in each bin, whatever the parameters."""
    return replace(
        signal,
        exponents=np.zeros((1, len(signal.couplings)), dtype=np.int64),
        constant=np.ones((1, bins)),
        nodes=(),
        blocks=(),
    )
