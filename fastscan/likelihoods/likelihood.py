"""A model against the data of one experiment, or of several together."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import replace
from functools import cached_property, reduce
from typing import Self

import numpy as np
from numpy.typing import NDArray

from fastscan.counts import (
    Constraint,
    Counts,
    Nuisances,
    channel_names,
    constrained,
)
from fastscan.exceptions import InputError
from fastscan.inputs import Experiment, JointExperiment, check_sigma_alpha
from fastscan.likelihoods.analysis import held
from fastscan.likelihoods.doubts import FEW_EVENTS, doubtful_fits
from fastscan.likelihoods.joint import check_parts, check_shared
from fastscan.likelihoods.prediction import predict
from fastscan.likelihoods.questions import Questions
from fastscan.models import Model
from fastscan.results import Bins, Prediction, Provenance
from fastscan.tensors import Response

__all__ = ["Likelihood"]

FloatArray = NDArray[np.float64]


class Likelihood(Questions):
    """Chi2 of a model's parameters, given one experiment or several that are fitted together.

    ``a + b`` is the joint likelihood; `joined` says which nuisances are the same in both.

    Parameters
    ----------
    model : Model
    experiment : Experiment
    response : Response
        Its tensors, from `fastscan.tensors.load_response`.
    channels : {"both", "cevns", "eves"}
    sigma_alpha : float, optional
        Relative uncertainty of the normalisation, instead of all of the experiment's nuisances.
    flux_weights : (energy bins,), optional
        Factor on the flux of each antineutrino-energy bin.
    nuisances : Nuisances, optional
        The experiment's, from `Nuisances.load`; needed where they are more than a normalisation.

    Attributes
    ----------
    experiment : Experiment or JointExperiment
    parts : tuple of Likelihood
        Of each experiment; of one, itself.
    data, sigma : (bins,)
        Counts seen and their standard deviations, those of all experiments one after the other.
    data_source : str
        Empty where the counts are those of the experiments.
    bin_slices : tuple of slice
        Bins of each experiment.

    Raises
    ------
    InputError
        Unknown channel, or a sigma_alpha that is not positive.
    """

    experiment: Experiment | JointExperiment

    def __init__(
        self,
        model: Model,
        experiment: Experiment,
        response: Response,
        *,
        channels: str = "both",
        sigma_alpha: float | None = None,
        flux_weights: FloatArray | None = None,
        nuisances: Nuisances | None = None,
    ) -> None:
        self.model = model.bound(experiment.target)
        self.experiment = experiment
        self.response = response
        self.channels = channels
        self.channel_names = channel_names(channels)
        self.flux_weights = flux_weights
        if sigma_alpha is None:
            nuisances = nuisances or Nuisances.load(experiment, variants=False)
        else:
            check_sigma_alpha(sigma_alpha, experiment.unusual)
            nuisances = Nuisances.normalisation(float(sigma_alpha), experiment)
        self.nuisances = nuisances
        observation = experiment.observation
        self.data = np.asarray(observation.counts, dtype=float)
        self.sigma = np.asarray(observation.sigma, dtype=float)
        self.parts: tuple[Likelihood, ...] = (self,)
        self.shared: tuple[str, ...] = ()
        self.constraints: tuple[Constraint, ...] = ()
        self.data_source = ""
        self._place_bins()
        with np.errstate(over="ignore"):
            squares = (self.data / self.sigma) ** 2
        if not np.isfinite(squares.sum()):
            raise InputError(
                "counts over their errors overflow a double",
                where=f"observation of {experiment.name}",
                hint="check the numbers and their unit",
            )

    @classmethod
    def joined(
        cls,
        parts: Sequence[Likelihood],
        *,
        shared: Sequence[str] = (),
        experiment: JointExperiment | None = None,
    ) -> Likelihood:
        """The likelihood of several experiments together.

        Parameters
        ----------
        parts : sequence of Likelihood
            Of the same model and channels.
        shared : sequence of str
            Nuisances that are one and the same in all experiments that have them; all others
            belong to each experiment alone.
        experiment : JointExperiment, optional
            Its name and words; by default those of the experiments.

        Raises
        ------
        InputError
            Likelihoods of different models, two experiments of one name or with the same counts; a
            shared nuisance that fewer than two experiments have, or that is correlated with another
            one.
        """
        every = tuple(part._unconstrained() for given in parts for part in given.parts)
        common = [*shared, *(name for given in parts for name in given.shared)]
        names = tuple(part.experiment.name for part in every)
        check_parts(every, names)
        check_shared(every, common)
        together = tuple(dict.fromkeys(common))
        named = JointExperiment(name="+".join(names), experiments=names, shared=together)
        joint = cls._joint(every, together, experiment or named)
        for constraint in dict.fromkeys(c for given in parts for c in given.constraints):
            joint = joint.constrained(constraint.name, constraint.value, constraint.sigma)
        return joint

    @classmethod
    def _joint(
        cls, parts: tuple[Likelihood, ...], shared: tuple[str, ...], experiment: JointExperiment
    ) -> Likelihood:
        first = parts[0]
        joint = cls.__new__(cls)
        joint.parts, joint.shared, joint.experiment = parts, shared, experiment
        joint.constraints = ()
        joint.data_source = "; ".join(dict.fromkeys(filter(None, (p.data_source for p in parts))))
        joint.model, joint.channels = first.model, first.channels
        joint.channel_names = first.channel_names
        joint.data = np.concatenate([part.data for part in joint.parts])
        joint.sigma = np.concatenate([part.sigma for part in joint.parts])
        joint._place_bins()
        return joint

    def __add__(self, other: Likelihood) -> Likelihood:
        """The joint likelihood, no nuisance shared; see `joined`."""
        if not isinstance(other, Likelihood):
            return NotImplemented
        return Likelihood.joined([self, other])

    @property
    def experiments(self) -> tuple[Experiment, ...]:
        """Experiments that are fitted together."""
        return tuple(part.experiment for part in self.parts)  # type: ignore[misc]

    @property
    def flavours(self) -> tuple[str, ...]:
        """Flavours of the neutrinos of all experiments, each once."""
        return tuple(dict.fromkeys(f for part in self.parts for f in part.response.flavours))

    @property
    def nuisance_names(self) -> tuple[str, ...]:
        """All nuisances, each once: in a joint fit ``experiment/name``, or the name if shared."""
        return tuple(dict.fromkeys(name for names in self._joint_names() for name in names))

    @property
    def sigma_alpha(self) -> float | None:
        """Relative uncertainty of the normalisation where that is the only nuisance, else None."""
        alone = self.alone and not self.constraints
        return self.nuisances.sigma_alpha if alone else None

    def counts(
        self,
        names: Sequence[str] = (),
        given: Mapping[str, float] | None = None,
        *,
        merge: bool = True,
    ) -> Counts:
        """Counts as polynomials in some parameters, the others held.

        Parameters
        ----------
        names : sequence of str
            Free parameters, the columns of points in this order.
        given : mapping, optional
            Values of other parameters; the rest stay at their defaults.
        merge : bool
            Let nuisances that are normalisations of everything be one pull; never in a joint fit.

        Raises
        ------
        InputError
            An unknown or doubled parameter, one that is also set, or a value out of range.
        """
        given = dict(given or {})
        for name in names:
            self.model.parameter(name)
            if name in given or list(names).count(name) > 1:
                raise InputError(f"{name} is named twice", where="parameters", hint="leave one out")
        for constraint in self.constraints:
            if constraint.name not in names and constraint.name not in given:
                raise InputError(
                    f"{constraint.name} is constrained, but neither free nor set: it would be held "
                    "at its default",
                    where=f"constraint of {constraint.name}",
                    hint="profile it, scan it or set it",
                )
        fixed = self.parameters(given, names)
        if not self.alone:
            every = [part.counts(names, given, merge=False) for part in self.parts]
            joint = replace(Counts.joined(every, self._joint_names()), fixed=fixed)
            return reduce(constrained, self.constraints, joint)
        assert isinstance(self.experiment, Experiment)
        standard = {p.name: p.standard for p in self.model.parameters if p.name not in names}
        counts = self.nuisances.counts(
            self.model,
            self.experiment,
            self.response,
            names=names,
            seen=self.data,
            channels=self.channel_names,
            fixed=standard | fixed,
            flux_weights=self.flux_weights,
            merge=merge,
        )
        return reduce(constrained, self.constraints, replace(counts, fixed=fixed))

    def changed(
        self,
        *,
        experiment: Experiment | None = None,
        response: Response | None = None,
        nuisances: Nuisances | None = None,
        flux_weights: FloatArray | None = None,
    ) -> Likelihood:
        """The likelihood of one experiment with some of what it is made of replaced."""
        assert isinstance(self.experiment, Experiment)
        other = Likelihood(
            self.model,
            experiment or self.experiment,
            response or self.response,
            channels=self.channels,
            flux_weights=self.flux_weights if flux_weights is None else flux_weights,
            nuisances=nuisances or self.nuisances,
        )
        other.constraints = self.constraints
        return other

    def each(self, change: Callable[[Likelihood], Likelihood]) -> Likelihood:
        """The same with the likelihood of each experiment replaced."""
        parts = [change(part) for part in self.parts]
        if all(new is old for new, old in zip(parts, self.parts, strict=True)):
            return self
        if not isinstance(self.experiment, JointExperiment):
            return parts[0]
        names = tuple(part.experiment.name for part in parts)
        joint = self.experiment.model_copy(update={"experiments": names})
        other = Likelihood._joint(tuple(parts), self.shared, joint)
        other.constraints = self.constraints
        return other

    def constrained(self, name: str, value: float, sigma: float) -> Likelihood:
        """The same with an external measurement of a parameter, ((parameter - value) / sigma)**2.

        Parameters that are constrained are profiled unless they are set.

        Raises
        ------
        InputError
            Unknown parameter, one that is constrained already, a value out of its range, or an
            error that is not above zero.
        """
        constraint = Constraint(name, float(value), float(sigma))
        constraint.check(self.model, f"constraint of {name}")
        if name in [known.name for known in self.constraints]:
            raise InputError(
                f"{name} is constrained twice",
                where=f"constraint of {name}",
                hint="combine both measurements into one",
            )
        other = self._copied()
        other.constraints = (*self.constraints, constraint)
        if self.alone:
            other.parts = (other,)
        return other

    def observing(self, data: FloatArray, source: str = "made-up counts") -> Likelihood:
        """The same likelihood, had other counts been seen with the same errors.

        Parameters
        ----------
        data : (bins,)
            Of all experiments, one after the other, in the unit of the observation.
        source : str
            Where they come from, for the words of results.

        Raises
        ------
        InputError
            Another number of counts than there are bins, or one that is not finite.
        """
        values = np.asarray(data, dtype=float)
        if values.shape != self.data.shape or not np.isfinite(values).all():
            raise InputError(
                "a count is not finite"
                if values.shape == self.data.shape
                else f"counts of shape {values.shape} for {self.data.size} bins",
                where=f"data of {self.experiment.name}",
                hint="give one number a bin",
            )
        for one, own in zip(self.experiments, self.bin_slices, strict=True):
            if one.observation.counted and (values[own] < 0.0).any():
                raise InputError(
                    f"{values[own].min():g} events in a bin",
                    where=f"data of {one.name}",
                    hint="likelihood = 'poisson' has numbers of events, with their background",
                )
        other = self._copied()
        other.data, other.data_source = values, source
        if self.alone:
            other.parts = (other,)
        else:
            pairs = zip(self.parts, self.bin_slices, strict=True)
            other.parts = tuple(part.observing(values[own], source) for part, own in pairs)
        return other

    def predict(
        self, given: Mapping[str, float] | None = None, /, **parameters: float
    ) -> Prediction:
        """Counts of each channel at a point, and its chi2.

        Parameters
        ----------
        given : mapping, optional
            Values of parameters, those left out at their defaults; as well by name.

        Raises
        ------
        InputError
            See `parameters` and `check_felt`.

        Examples
        --------
        >>> import fastscan
        >>> round(fastscan.likelihood("vector").predict(mass_mev=10.0, g=1e-5).chi2, 3)
        7.414
        """
        point = held(given, parameters)
        self.check_felt(given=point)
        return predict(self, self.parameters(point))

    @cached_property
    def provenance(self) -> Provenance:
        """Model, experiment, channels, constraints and data, for results."""
        return Provenance(
            self.model.name,
            self.model.options(),
            self.experiment.name,
            self.channels,
            self.experiment.title or ", ".join(e.title or e.name for e in self.experiments),
            self.experiment.source,
            self.constraints,
            self.data_source,
            self.model,
        )

    @property
    def bins(self) -> tuple[Bins, ...]:
        """Bins of each experiment, for results."""
        return tuple(
            Bins(
                e.name,
                e.title or e.name,
                e.observation.unit,
                e.observation.edges_ev,
                place,
                e.observation.counted,
            )
            for e, place in zip(self.experiments, self.bin_slices, strict=True)
        )

    @property
    def standard_point(self) -> dict[str, float]:
        """All parameters as they are in the Standard Model."""
        return {p.name: p.standard for p in self.model.parameters}

    def doubts(self, chi2_min: float | None = None, free: int = 0) -> list[str]:
        """Words on a best fit, or a Standard Model, that is too bad or too good to be true.

        Parameters
        ----------
        chi2_min : float, optional
            At the best fit; left out where only the Standard Model is compared with the data.
        free : int
            Parameters that were fitted for it.
        """
        counted = [self.data[one.place] for one in self.bins if one.counted]
        if any((events < FEW_EVENTS).any() for events in counted):
            # Then chi2 has another distribution.
            return []
        measured = self.data.size + len(self.constraints)
        best = {} if chi2_min is None else {"best fit": (chi2_min, measured - free)}
        return doubtful_fits({**best, "Standard Model": (self._standard_chi2, measured)})

    @cached_property
    def _standard_chi2(self) -> float:
        return self.predict(**self.standard_point).chi2

    def _copied(self) -> Self:
        """A copy that knows nothing of what was found with other data or constraints."""
        other = copy(self)
        for name in ("provenance", "_standard_chi2"):
            other.__dict__.pop(name, None)
        return other

    def __repr__(self) -> str:
        about = self.provenance
        held = ", ".join(f"{p.name}" for p in self.model.parameters)
        return (
            f"<Likelihood of {about.model_name} ({held}), {about.experiment}, channels "
            f"{about.channels}: {self.data.size} bins, {len(self.nuisance_names)} nuisances>"
        )

    @property
    def alone(self) -> bool:
        """Whether this is the likelihood of one experiment."""
        return self.parts[0] is self

    def _unconstrained(self) -> Likelihood:
        if not self.constraints:
            return self
        other = self._copied()
        other.constraints, other.parts = (), (other,)
        return other

    def _place_bins(self) -> None:
        ends = np.cumsum([0, *(part.data.size for part in self.parts)])
        self.bin_slices = tuple(map(slice, ends[:-1].tolist(), ends[1:].tolist()))

    def _joint_names(self) -> tuple[tuple[str, ...], ...]:
        """Names of the nuisances of each experiment in the fit of all."""
        if self.alone:
            return (self.nuisances.names,)
        return tuple(
            tuple(
                name if name in self.shared else f"{part.experiment.name}/{name}"
                for name in part.nuisances.names
            )
            for part in self.parts
        )

    @property
    def observation_sha256(self) -> str:
        """Of the counts seen, their errors and the edges of their bins."""
        edges_ev = [experiment.observation.edges_ev for experiment in self.experiments]
        digest = hashlib.sha256()
        for array in (self.data, self.sigma, *edges_ev):
            digest.update(np.ascontiguousarray(array, dtype="<f8").tobytes())
        return digest.hexdigest()
