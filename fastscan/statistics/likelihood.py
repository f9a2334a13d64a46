"""A model against an experiment's data: predictions, chi2 and limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fastscan.exceptions import InputError
from fastscan.inputs import Experiment, JointExperiment, check_sigma_alpha
from fastscan.models import Model, Rates, build_rates, channel_names
from fastscan.statistics.chi2 import delta_chi2, normalisation_pull, profiled_chi2
from fastscan.statistics.nuisances import Nuisances
from fastscan.statistics.profile import Basin, Profile
from fastscan.statistics.pulled_surface import fitted_pulls
from fastscan.statistics.pulls import Part, PulledRates
from fastscan.tensors import Response

__all__ = ["Likelihood", "Limit", "Prediction"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Prediction:
    """Counts of each bin at one point.

    Attributes
    ----------
    parameters : dict
        All parameters of the model.
    edges_ev, unit
        Observed bins and the unit of the counts.
    cevns, eves, total : (bins,)
        Zero in a channel that is switched off.
    chi2, alpha_hat : float
        Profiled chi2 and the relative change of the total counts it is reached at: the shift of the
        normalisation, where that is the only nuisance.
    pulls : dict of float
        Nuisances at that chi2, in their standard deviations.
    parts : tuple of Prediction
        Of each experiment of a joint fit, with the pulls of all; empty otherwise.
    """

    parameters: dict[str, float]
    edges_ev: FloatArray
    unit: str
    cevns: FloatArray
    eves: FloatArray
    total: FloatArray
    chi2: float
    alpha_hat: float
    pulls: dict[str, float]
    parts: tuple[Prediction, ...] = ()


@dataclass(frozen=True)
class Limit:
    """Allowed intervals of one parameter at a confidence level (one degree of freedom).

    Attributes
    ----------
    poi, unit : str
    cl, delta_chi2 : float
    best_fit : float
        Infinite if chi2 falls for ever.
    chi2_min : float
        Absolute.
    intervals : list of (low, high)
        Disjoint, in rising order; a bound is infinite where the data set none.
    basins : list of Basin
        The deepest minimum in each interval, with the profiled parameters there.
    best_basin : Basin
        The one of lowest chi2.
    profiled : tuple of str
    parameters : dict
        Parameters that were held.
    """

    poi: str
    unit: str
    cl: float
    delta_chi2: float
    best_fit: float
    chi2_min: float
    intervals: list[tuple[float, float]]
    basins: list[Basin]
    best_basin: Basin
    profiled: tuple[str, ...]
    parameters: dict[str, float]


class Likelihood:
    """Chi2 of a model's parameters, given an experiment.

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
    experiments, responses, every_flux_weights : tuple
        Experiments that are fitted together, one here, with the tensors and flux factors of each.
    bin_slices : tuple of slice
        Their bins in ``data`` and ``sigma``.
    data, sigma : (bins,)
        Counts seen and their standard deviations.

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
        self.model = model
        self.experiment = experiment
        self.response = response
        self.channels = channels
        self.channel_names = channel_names(channels)
        self.flux_weights = flux_weights
        self.nuisances = None
        if sigma_alpha is None:
            nuisances = nuisances or Nuisances.load(experiment, variants=False)
            sigma_alpha = nuisances.sigma_alpha
            self.nuisances = nuisances
        else:
            check_sigma_alpha(sigma_alpha, experiment.unusual)
        self._sigma_alpha = None if sigma_alpha is None else float(sigma_alpha)
        self.experiments: tuple[Experiment, ...] = (experiment,)
        self.responses: tuple[Response, ...] = (response,)
        self.every_flux_weights: tuple[FloatArray | None, ...] = (flux_weights,)
        self.data = np.asarray(experiment.observation.counts, dtype=float)
        self.sigma = np.asarray(experiment.observation.sigma, dtype=float)
        self.bin_slices: tuple[slice, ...] = (slice(0, self.data.size),)
        with np.errstate(over="ignore"):
            squares = (self.data / self.sigma) ** 2
        if not np.isfinite(squares.sum()):
            raise InputError(
                "counts over their errors overflow a double",
                where=f"observation of {experiment.name}",
                hint="check the numbers and their unit",
            )

    @property
    def nuisance_names(self) -> tuple[str, ...]:
        """Nuisances, in the order of `pulled_rates` when none are merged."""
        return ("normalisation",) if self.nuisances is None else self.nuisances.names

    @property
    def one_normalisation(self) -> bool:
        """Whether the normalisation is the only nuisance: chi2 is a ratio of two polynomials."""
        return self._sigma_alpha is not None

    @property
    def sigma_alpha(self) -> float:
        """Relative uncertainty of the normalisation.

        Raises
        ------
        InputError
            It is not the only nuisance.
        """
        if self._sigma_alpha is None:
            raise InputError(
                "closed form in one normalisation does not hold: there are other nuisances",
                where=self.experiment.name,
                hint="use limit, scan, fit or evaluate, or replace them all: --sigma-alpha 0.20",
            )
        return self._sigma_alpha

    def rates(self, fixed: Mapping[str, float] | None = None) -> Rates:
        """Counts of the chosen channels, with some parameters folded in."""
        return self._rates(self.channel_names, fixed)

    def pulled_rates(
        self, fixed: Mapping[str, float] | None = None, *, merge: bool = True
    ) -> PulledRates:
        """Counts and their change by each nuisance, with some parameters folded in.

        Nuisances that are normalisations of everything are one, unless ``merge`` is false.
        """
        if self.nuisances is not None:
            assert isinstance(self.experiment, Experiment)
            return self.nuisances.pulled_rates(
                self.model,
                self.experiment,
                self.response,
                channels=self.channel_names,
                fixed=fixed,
                flux_weights=self.flux_weights,
                merge=merge,
            )
        mixing = np.array([1.0, self.sigma_alpha])[:, None, None]
        mixing = np.broadcast_to(mixing, (2, 1, self.data.size))
        part = Part((self.rates(fixed),), mixing, self.sigma)
        return PulledRates((part,), ("normalisation",), np.array([1.0 / self.sigma_alpha]))

    def parameters(
        self, given: Mapping[str, float] | None = None, free: Sequence[str] = ()
    ) -> dict[str, float]:
        """All parameters but the free ones, those not given at their default.

        Raises
        ------
        InputError
            Unknown name, a value that is not finite or out of range, or none where there is no
            default.
        """
        given = {name: self.model.parameter(name).check(v) for name, v in (given or {}).items()}
        values = {}
        for parameter in self.model.parameters:
            if parameter.name in free:
                continue
            value = given.get(parameter.name, parameter.default)
            if value is None:
                unit = "" if parameter.unit == "1" else f" in {parameter.unit}"
                raise InputError(
                    f"{parameter.name} is not set and has no default",
                    where=f"model {self.model.name}",
                    hint=f"give it{unit}, as in --set {parameter.name}=…",
                )
            values[parameter.name] = value
        return values

    def predict(self, **parameters: float) -> Prediction:
        """Counts of each channel at a point, and its chi2.

        Raises
        ------
        InputError
            See `parameters`.
        """
        point = self.parameters(parameters)
        assert isinstance(self.experiment, Experiment)
        counts = {
            channel: self._rates((channel,), point).counts({})
            if channel in self.channel_names
            else np.zeros(self.data.size)
            for channel in ("cevns", "eves")
        }
        total = counts["cevns"] + counts["eves"]
        with np.errstate(over="ignore"):
            _check_finite(total * total, "predicted counts")
        chi2, alpha_hat, pulls = self.fitted_nuisances(point, total)
        return Prediction(
            parameters=point,
            edges_ev=np.asarray(self.experiment.observation.edges_ev, dtype=float),
            unit=self.experiment.observation.unit,
            cevns=counts["cevns"],
            eves=counts["eves"],
            total=total,
            chi2=chi2,
            alpha_hat=alpha_hat,
            pulls=pulls,
        )

    def fitted_nuisances(
        self, point: Mapping[str, float], total: FloatArray
    ) -> tuple[float, float, dict[str, float]]:
        """Profiled chi2 of the counts at a point, their relative change by the pulls, and these."""
        if self.one_normalisation:
            arguments = (total, self.data, self.sigma, self.sigma_alpha)
            alpha_hat = float(normalisation_pull(*arguments))
            pulls = {"normalisation": alpha_hat / self.sigma_alpha}
            return float(profiled_chi2(*arguments)), alpha_hat, pulls
        rates = self.pulled_rates(dict(point))
        layers = rates.coefficients()[0].sum(axis=1)
        found, chi2 = fitted_pulls(layers, self.data / self.sigma, rates.centre)
        assert self.nuisances is not None
        # From the independent pulls of the fit to the nuisances that were named.
        by_nuisance = found @ self.nuisances.columns(self.channel_names)[1]
        pulls = dict(zip(self.nuisance_names, map(float, by_nuisance), strict=True))
        return chi2, relative_change(layers, found, self.sigma), pulls

    def profile(
        self,
        poi: str,
        given: Mapping[str, float] | None = None,
        profiled: Sequence[str] | None = None,
    ) -> Profile:
        """Chi2 as a function of one parameter, others profiled; arguments as for `limit`."""
        given = dict(given or {})
        parameter = self.model.parameter(poi, "--poi")
        if poi in given:
            raise InputError(
                f"{poi} is both the parameter of interest and set",
                where="--poi",
                hint=f"leave out --set {poi}=…",
            )
        names = self.profiled_names(poi, given, profiled)
        fixed = self.parameters(given, (poi, *names))
        others = [self.model.parameter(name) for name in names]
        if not self.one_normalisation:
            rates = self.pulled_rates(fixed)
            return Profile(rates, parameter, others, self.data, self.sigma)
        return Profile(
            self.rates(fixed), parameter, others, self.data, self.sigma, self.sigma_alpha
        )

    def profiled_names(
        self, poi: str, given: Mapping[str, float], profiled: Sequence[str] | None
    ) -> tuple[str, ...]:
        """Parameters to profile: those asked for, or the model's choice less those set.

        Raises
        ------
        InputError
            One is unknown, named twice, the parameter of interest, or set.
        """
        if profiled is None:
            default = self.model.profiled_by_default
            return tuple(n for n in default if poi in default and n != poi and n not in given)
        for name in profiled:
            self.model.parameter(name, "--profile")
            if name == poi:
                why = f"{name} is both profiled and the parameter of interest"
            elif name in given:
                why = f"{name} is both profiled and set"
            elif list(profiled).count(name) > 1:
                why = f"{name} is profiled twice"
            else:
                continue
            raise InputError(why, where="--profile", hint="leave one out")
        return tuple(profiled)

    def limit(
        self,
        poi: str,
        given: Mapping[str, float] | None = None,
        *,
        profiled: Sequence[str] | None = None,
        cl: float = 0.90,
    ) -> Limit:
        """All allowed intervals of one parameter, by root finding, others held or profiled.

        Parameters
        ----------
        poi : str
            Parameter of interest.
        given : mapping, optional
            Values of other parameters; the rest stay at their defaults.
        profiled : sequence of str, optional
            Parameters that chi2 is minimised over; by default the model's choice (the other two
            elements for a millicharge or a charge radius, none otherwise).
        cl : float
            Confidence level, one degree of freedom.

        Raises
        ------
        InputError
            Unknown parameter, a value out of range, or one parameter in two roles.
        """
        rise = delta_chi2(cl)
        given = dict(given or {})
        names = self.profiled_names(poi, given, profiled)
        found = self.profile(poi, given, names).pieces(rise)
        held = self.parameters(given, (poi, *names))
        return Limit(
            poi=poi,
            unit=self.model.parameter(poi).unit,
            cl=cl,
            delta_chi2=rise,
            best_fit=found.best.value,
            chi2_min=found.best.chi2,
            intervals=found.intervals,
            basins=found.basins,
            best_basin=found.best,
            profiled=names,
            parameters=held,
        )

    def _rates(self, channels: tuple[str, ...], fixed: Mapping[str, float] | None) -> Rates:
        assert isinstance(self.experiment, Experiment)
        return build_rates(
            self.model,
            self.experiment,
            self.response,
            channels=channels,
            fixed=fixed,
            flux_weights=self.flux_weights,
        )


def _check_finite(values: FloatArray, what: str) -> None:
    if not np.isfinite(values).all():
        raise InputError(f"{what} overflow a double", where="--set", hint="use smaller couplings")


def relative_change(layers: FloatArray, pulls: FloatArray, sigma: FloatArray) -> float:
    """Change of the total counts by pulls; layers over sigma, shape (1 + pulls, bins)."""
    total = float(layers[0] @ sigma)
    return float((pulls @ layers[1:]) @ sigma) / total if total > 0.0 else 0.0
