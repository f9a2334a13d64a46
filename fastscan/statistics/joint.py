"""The likelihood of several experiments together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from fastscan.exceptions import InputError
from fastscan.inputs import JointExperiment
from fastscan.models import Rates
from fastscan.statistics.likelihood import Likelihood, Prediction, relative_change
from fastscan.statistics.pulled_surface import fitted_pulls
from fastscan.statistics.pulls import Part, PulledRates

__all__ = ["JointLikelihood"]


class JointLikelihood(Likelihood):
    """Chi2 of one model in several experiments; their bins stand one after the other.

    Parameters
    ----------
    joint : JointExperiment
        Its name, and the nuisances that are the same in all experiments that have them.
    parts : sequence of Likelihood
        One for each experiment, of the same model and channels.

    Attributes
    ----------
    parts : tuple of Likelihood
    pull_names : tuple of tuple of str
        Joint name of each nuisance of each part: its own if shared, else ``experiment/name``.

    Raises
    ------
    InputError
        A shared nuisance that fewer than two experiments have, or that is correlated with another.
    """

    def __init__(self, joint: JointExperiment, parts: Sequence[Likelihood]) -> None:
        first = parts[0]
        self.parts = tuple(parts)
        self.model = first.model
        self.channels, self.channel_names = first.channels, first.channel_names
        self.experiment = joint
        self.experiments = tuple(e for part in parts for e in part.experiments)
        self.responses = tuple(r for part in parts for r in part.responses)
        self.every_flux_weights = tuple(w for part in parts for w in part.every_flux_weights)
        self.nuisances = None
        self._sigma_alpha = None
        self.data = np.concatenate([part.data for part in parts])
        self.sigma = np.concatenate([part.sigma for part in parts])
        ends = np.cumsum([0, *(part.data.size for part in parts)])
        self.bin_slices = tuple(map(slice, ends[:-1].tolist(), ends[1:].tolist()))
        own = [part.nuisance_names for part in parts]
        for name in joint.shared:
            holders = sum(name in names for names in own)
            if holders < 2:
                known = sorted({n for names in own for n in names})
                raise InputError(
                    f"shared nuisance {name!r} is known to {holders} of the experiments",
                    where=f"{joint.name}, shared",
                    hint=f"share what at least two have; there are: {', '.join(known)}",
                )
            for part in parts:
                _check_alone(name, part)
        self.pull_names = tuple(
            tuple(n if n in joint.shared else f"{part.experiment.name}/{n}" for n in names)
            for part, names in zip(parts, own, strict=True)
        )

    @property
    def nuisance_names(self) -> tuple[str, ...]:
        """All nuisances, each once."""
        return tuple(dict.fromkeys(name for names in self.pull_names for name in names))

    def rates(self, fixed: Mapping[str, float] | None = None) -> Rates:
        """Not defined for several experiments: see `pulled_rates`.

        Raises
        ------
        InputError
            Always.
        """
        raise InputError(
            "several experiments have no common normal form in one normalisation",
            where=self.experiment.name,
            hint="use limit, scan, fit or evaluate",
        )

    def pulled_rates(
        self, fixed: Mapping[str, float] | None = None, *, merge: bool = True
    ) -> PulledRates:
        """Counts and their change by each nuisance, bins of all experiments one after the other.

        A shared nuisance moves all experiments that have it, in each by its own standard deviation.
        """
        names = self.nuisance_names
        parts: list[Part] = []
        centres: list[dict[str, float]] = []
        for likelihood, joint_names in zip(self.parts, self.pull_names, strict=True):
            own = likelihood.pulled_rates(fixed, merge=False)
            layers = [0, *(1 + names.index(name) for name in joint_names)]
            for part in own.parts:
                mixing = np.zeros((1 + len(names), *part.mixing.shape[1:]))
                mixing[layers] = part.mixing
                parts.append(Part(part.variants, mixing, part.sigma))
            centres.append(dict(zip(joint_names, map(float, own.centre), strict=True)))
        return PulledRates(tuple(parts), names, _common_centre(names, centres))

    def predict(self, **parameters: float) -> Prediction:
        """Counts of each channel at a point, and its chi2; ``parts`` has them by experiment."""
        parts = tuple(part.predict(**parameters) for part in self.parts)
        point = parts[0].parameters
        rates = self.pulled_rates(point)
        layers = rates.coefficients()[0].sum(axis=1)
        found, chi2 = fitted_pulls(layers, self.data / self.sigma, rates.centre)
        return Prediction(
            parameters=point,
            edges_ev=np.concatenate([part.edges_ev for part in parts]),
            unit="; ".join(dict.fromkeys(part.unit for part in parts)),
            cevns=np.concatenate([part.cevns for part in parts]),
            eves=np.concatenate([part.eves for part in parts]),
            total=np.concatenate([part.total for part in parts]),
            chi2=chi2,
            alpha_hat=relative_change(layers, found, self.sigma),
            pulls=dict(zip(rates.names, map(float, found), strict=True)),
            parts=parts,
        )


def _check_alone(name: str, part: Likelihood) -> None:
    """Refuse to share a nuisance that an experiment correlates with another one of its own."""
    if part.nuisances is None or name not in part.nuisance_names:
        return
    row = part.nuisances.correlation[part.nuisance_names.index(name)]
    others = [
        n for n, rho in zip(part.nuisance_names, row, strict=True) if rho != 0.0 and n != name
    ]
    if others:
        raise InputError(
            f"shared nuisance {name!r} is correlated with {', '.join(others)}",
            where=part.experiment.name,
            hint="split what they have in common off as a nuisance of its own, and share that",
        )


def _common_centre(names: Sequence[str], centres: Sequence[Mapping[str, float]]) -> np.ndarray:
    """Centre of each pull; zero, which only costs digits, where experiments do not agree."""
    common = []
    for name in names:
        values = [centre[name] for centre in centres if name in centre]
        common.append(values[0] if max(values) - min(values) <= 1e-12 * max(values) else 0.0)
    return np.array(common)
