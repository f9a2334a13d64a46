"""Why our numbers differ from the printed ones: each line holds the numbers that support it."""

from __future__ import annotations

import math
from collections.abc import Callable
from copy import copy

from scipy.optimize import brentq

from fastscan.inputs import PublishedResult, published_results
from fastscan.likelihoods import Likelihood, Limit
from fastscan.reproduce.readings import MODEL_OF, Analyses

__all__ = [
    "ONE_SIGMA",
    "C25Causes",
    "Definition",
    "error_definitions",
    "expectation_definitions",
    "held_normalisation",
    "magnetic_moment_definitions",
    "parabolic_error",
]

ONE_SIGMA = math.erf(math.sqrt(0.5))

# Counts that a pixel of the figure stands for from which the excess was read off.
PIXEL_COUNTS = 0.062

# Words of a definition, our number under it, and the line on the difference.
Definition = tuple[str, float, str]

_A25 = "conus-plus-a25"
# What C25 words differently from conus-plus, taken over for A25, which words neither.
_UNSMEARED: dict[str, object] = {"ionisation.resolution": "none"}
_CAPTURES_ON_TOP: dict[str, object] = {"reactor.normalisation": "fission-flux"}


class C25Causes:
    """Lines on the printed numbers of C25; ours are those of ``conus-plus``, unless said otherwise.

    Parameters
    ----------
    analyses : Analyses
    """

    def __init__(self, analyses: Analyses) -> None:
        self._analyses = analyses
        self._shape = ""

    def line(self, result: PublishedResult, number: str) -> str:
        """One line on one number (``best_fit``, ``low`` or ``high``) of a result."""
        if result.quantity == "sin2_theta_w" and number != "best_fit":
            return self._angle_errors(result)
        if result.quantity == "r2_ee":
            return self._radius(result, number)
        if result.quantity.startswith("q_") and result.channels == "cevns":
            # The same for all elements.
            self._shape = self._shape or self._millicharge_shape()
            return self._shape
        if result.channels == "both" and result.quantity[:2] in ("mu", "q_"):
            return self._electron_rate(result)
        return self._settings(result, number)

    def _settings(self, result: PublishedResult, number: str) -> str:
        """What differs between the readings, and the precision of the data, against ours."""
        quantity, channels = result.quantity, result.channels

        def value(limit: Limit) -> float:
            return limit.best_fit if number == "best_fit" else limit.intervals[-1][1]

        own = value(self._analyses.limit("conus-plus", quantity, channels))
        worded = value(self._analyses.limit("conus-plus-c25", quantity, channels))
        moved = copy(self._analyses.of("conus-plus", quantity, channels))
        moved.data = moved.data + PIXEL_COUNTS
        precision = abs(100.0 * (value(moved.limit(quantity)) / own - 1.0))
        return (
            f"flux and resolution as C25 words them move ours by {_per_cent(worded, own)} %, all "
            f"points read off the figure one pixel ({PIXEL_COUNTS} counts) higher by "
            f"{precision:.1f} %"
        )

    def _angle_errors(self, result: PublishedResult) -> str:
        best, (low, high) = _number(result.best_fit), _interval(result)
        limit = self._analyses.limit("conus-plus", "sin2_theta_w", "both", ONE_SIGMA)
        likelihood = self._analyses.of("conus-plus", "sin2_theta_w", "both")
        ours_low, ours_high = limit.intervals[0]
        held_low, held_high = held_normalisation(likelihood, limit.best_fit)
        skews = (
            (best - low) / (high - best),
            (limit.best_fit - ours_low) / (ours_high - limit.best_fit),
            (limit.best_fit - held_low) / (held_high - limit.best_fit),
        )
        return (
            f"lower over upper error is {skews[0]:.2f} printed, {skews[1]:.2f} ours and "
            f"{skews[2]:.2f} were the normalisation error that of the SM signal at any angle; "
            f"interval {_per_cent(ours_high - ours_low, high - low)} % in length"
        )

    def _radius(self, result: PublishedResult, number: str) -> str:
        low, high = _interval(result)
        ours_low, ours_high = self._analyses.limit("conus-plus", "r2_ee", "both").intervals[0]
        line = (
            f"the interval differs by {_per_cent(ours_high - ours_low, high - low)} % in length, "
            f"by {_per_cent(ours_high + ours_low, high + low)} % in its centre"
        )
        if number == "high":
            line += "; this bound is the small difference of half the length and the centre"
        return line

    def _electron_rate(self, result: PublishedResult) -> str:
        # EvES limits these: its rate is as the square of the parameter.
        low, high = _interval(result)
        length = {}
        for reading in ("", "-free", "-c25", "-c25-free"):
            limit = self._analyses.limit(f"conus-plus{reading}", result.quantity, "both")
            length[reading] = limit.intervals[-1][1] - limit.intervals[0][0]
        gain = {reading: (length[""] / other) ** 2 for reading, other in length.items()}
        return (
            f"printed takes {(length[''] / (high - low)) ** 2:.2f} times our EvES rate; free "
            f"electrons are worth {gain['-free']:.2f}, flux and resolution as C25 words them "
            f"{gain['-c25']:.2f}, both {gain['-c25-free']:.2f}"
        )

    def _millicharge_shape(self) -> str:
        # A factor in the millicharge or in the momentum transfer leaves this ratio alone.
        (printed,) = (
            result
            for result in published_results()
            if (result.paper, result.quantity, result.channels) == ("C25", "q_ee", "cevns")
        )
        certain = self._analyses.likelihood(
            MODEL_OF["q_ee"],
            self._analyses.experiment("conus-plus"),
            channels="cevns",
            sigma_alpha=1e-6,
        )
        intervals = (
            _interval(printed),
            self._analyses.limit("conus-plus", "q_ee", "cevns").intervals[0],
            self._analyses.limit("conus-plus-c25", "q_ee", "cevns").intervals[0],
            certain.limit("q_ee").intervals[0],
        )
        ratios = [(high - low) / (high + low) for low, high in intervals]
        return (
            f"not explained: half the q_ee interval over its centre is {ratios[0]:.2f} printed, "
            f"{ratios[1]:.2f} ours, {ratios[2]:.2f} with flux and resolution as C25 words them, "
            f"{ratios[3]:.2f} without any normalisation error"
        )


def held_normalisation(likelihood: Likelihood, best: float) -> tuple[float, float]:
    """One-sigma interval of sin2_theta_w, the normalisation error that of the SM signal.

    In C25 eq. 20, alpha multiplies the signal at the angle that is tried; here it multiplies the
    signal of the Standard Model, whatever the angle.
    """
    standard = likelihood.predict().total / likelihood.sigma
    assert likelihood.sigma_alpha is not None
    pull = likelihood.sigma_alpha**-2

    def chi2(angle: float) -> float:
        counts = likelihood.predict(sin2_theta_w=angle).total / likelihood.sigma
        gap = likelihood.data / likelihood.sigma - counts
        return float(gap @ gap - (gap @ standard) ** 2 / (standard @ standard + pull))

    def excess(angle: float) -> float:
        return chi2(angle) - chi2(best) - 1.0

    return float(brentq(excess, 0.0, best)), float(brentq(excess, best, 1.0))


def parabolic_error(chi2: Callable[[float], float], best: float, step: float) -> float:
    """Error from the curvature at the minimum, sqrt(2 / chi2''), as a fit with Hesse gives it."""
    curvature = (chi2(best + step) - 2.0 * chi2(best) + chi2(best - step)) / step**2
    return math.sqrt(2.0 / curvature)


def error_definitions(likelihood: Likelihood, limit: Limit) -> list[Definition]:
    """The error of sin2_theta_w from one bin, under each definition A25 may mean.

    Parameters
    ----------
    likelihood : Likelihood
        Of the Standard Model in one bin.
    limit : Limit
        Its one-sigma limit.
    """
    best, ((low, high), *_) = limit.best_fit, limit.intervals
    measured, sigma_stat = float(likelihood.data[0]), float(likelihood.sigma[0])
    expected = float(likelihood.predict().total[0])

    def counts(angle: float) -> float:
        return float(likelihood.predict(sin2_theta_w=angle).total[0])

    # Counts are a square in the angle: a central difference is exact.
    slope = (counts(best + 1e-3) - counts(best - 1e-3)) / 2e-3

    def angle_of(events: float, low: float, high: float) -> float:
        return float(brentq(lambda angle: counts(angle) - events, low, high))

    def half_length(sigma: float) -> float:
        below = angle_of(measured - sigma, 0.0, best)
        above = angle_of(measured + sigma, best, 1.0)
        return 0.5 * (above - below)

    assert likelihood.sigma_alpha is not None
    at_measured = math.hypot(sigma_stat, likelihood.sigma_alpha * measured)
    at_expected = math.hypot(sigma_stat, likelihood.sigma_alpha * expected)
    hesse = parabolic_error(likelihood.profile("sin2_theta_w"), best, 1e-3 * (high - low))
    return [
        (
            "half of the interval of delta chi2 = 1",
            0.5 * (high - low),
            f"errors {low - best:+.4f} and {high - best:+.4f}, averaged",
        ),
        (
            "parabolic, sqrt(2 / chi2'') at the minimum",
            hesse,
            f"symmetric by definition, as printed; best fit and error {best:.3f} +- {hesse:.3f}",
        ),
        (
            "propagated, sqrt(sigma_stat^2 + (sigma_alpha N_meas)^2) / (dN/ds)",
            at_measured / slope,
            f"{at_measured:.1f} events over {slope:.0f} events per unit of sin2_theta_w",
        ),
        (
            "sigma_alpha N_meas and sigma_stat in quadrature, half of the interval",
            half_length(at_measured),
            f"where the expectation is {measured:.0f} -+ {at_measured:.1f} events",
        ),
        (
            "sigma_alpha N_th(SM) and sigma_stat in quadrature, half of the interval",
            half_length(at_expected),
            f"where the expectation is {measured:.0f} -+ {at_expected:.1f} events",
        ),
        (
            "the collaboration's 395 +- 106, half of the interval",
            half_length(106.0),
            f"where the expectation is {measured:.0f} -+ 106 events",
        ),
        (
            "sigma_stat alone, half of the interval",
            half_length(sigma_stat),
            f"where the expectation is {measured:.0f} -+ {sigma_stat:.1f} events",
        ),
    ]


def expectation_definitions(analyses: Analyses) -> list[Definition]:
    """SM events of A25: as normalised, and as predicted from flux, masses and thresholds."""
    scaled = analyses.experiment(_A25)
    counted: dict[str, object] = {"observation.sm_expectation": None}
    predicted = scaled.with_changes(counted)
    sharp = scaled.with_changes(counted | _UNSMEARED)
    on_top = scaled.with_changes(counted | _UNSMEARED | _CAPTURES_ON_TOP)
    events = [
        float(analyses.likelihood("sm", e, channels="cevns").predict().cevns.sum())
        for e in (scaled, predicted, sharp, on_top)
    ]
    return [
        (
            "as used",
            events[0],
            f"every prediction of this reading is multiplied by {events[0] / events[1]:.3f}",
        ),
        (
            "predicted",
            events[1],
            "flux of 1.5e13 with captures in it, Gaussian resolution, 347 kg d in thirds",
        ),
        (
            "predicted, no resolution",
            events[2],
            f"no events lifted over the thresholds: {_per_cent(events[2], events[1])} %",
        ),
        (
            "predicted, no resolution, captures on top of the flux",
            events[3],
            f"more antineutrinos from fission: {_per_cent(events[3], events[2])} %",
        ),
    ]


def magnetic_moment_definitions(analyses: Analyses, printed: float) -> list[Definition]:
    """The 90 % limit of A25 on mu_nu, under each definition A25 may mean."""
    experiment = analyses.experiment(_A25)
    limit = analyses.limit(_A25, "mu_nu", "cevns")
    profile = analyses.of(_A25, "mu_nu", "cevns").profile("mu_nu")
    own, rise = limit.intervals[-1][1], limit.delta_chi2

    quadratic = analyses.likelihood(
        "magnetic-moment", experiment, channels="cevns", options={"quadratic_term": True}
    )
    with_term = quadratic.limit("mu_nu").intervals[-1][1]
    sharp = analyses.likelihood(
        "magnetic-moment", experiment.with_changes(_UNSMEARED), channels="cevns"
    )
    without_resolution = sharp.limit("mu_nu").intervals[-1][1]
    at_zero = profile(0.0)
    from_zero = float(brentq(lambda mu: profile(mu) - at_zero - rise, own, 10.0 * own))
    square = limit.best_fit**2
    error = parabolic_error(lambda mu2: profile(math.sqrt(mu2)), square, 1e-3 * square)
    parabolic = math.sqrt(square + math.sqrt(rise) * error)
    return [
        (
            f"delta chi2 = {rise:.3f}",
            own,
            f"the printed value lies at delta chi2 = {profile(printed) - limit.chi2_min:.2f}",
        ),
        (
            f"delta chi2 = {rise:.3f}, with T/4E^2",
            with_term,
            f"the term changes the limit by {with_term / own - 1.0:.0e} of itself",
        ),
        (
            f"delta chi2 = {rise:.3f}, no resolution",
            without_resolution,
            f"little changes when the SM is normalised: {_per_cent(without_resolution, own)} %",
        ),
        (
            f"chi2 - chi2(mu_nu = 0) = {rise:.3f}",
            from_zero,
            f"the best fit lies {at_zero - limit.chi2_min:.2f} below chi2(mu_nu = 0)",
        ),
        (
            "parabolic in mu_nu^2",
            parabolic,
            f"best fit {limit.best_fit:.3g}, error of its square {error:.3g}",
        ),
    ]


def _per_cent(value: float, reference: float) -> str:
    return f"{100.0 * (value / reference - 1.0):+.1f}"


def _number(value: float | None) -> float:
    assert value is not None
    return value


def _interval(result: PublishedResult) -> tuple[float, float]:
    return _number(result.low), _number(result.high)
