"""Upper limits by CLs: the unified statistic made one-sided, and a ratio of two tail probabilities.

With the parameter theta >= 0, chi2 profiled over all else, and the best fit in that range,

    q(theta) = chi2(theta) - chi2(best)    if best <= theta, else 0

(the q-tilde of Cowan, Cranmer, Gross and Vitells, arXiv:1007.1727, eq. 16). A value is excluded at
a confidence level cl where CLs = CL_s+b / CL_b <= 1 - cl, with CL_s+b and CL_b the probabilities of
a larger or equal q in experiments with the parameter at theta and at zero (A. L. Read, J. Phys. G
28 (2002) 2693).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastscan.exceptions import InputError
from fastscan.inference.critical_values import COARSE, check_toys
from fastscan.inference.toys import ToyFits, draw_toys
from fastscan.likelihoods.levels import delta_chi2
from fastscan.results import CLsLimit

if TYPE_CHECKING:
    from fastscan.likelihoods.likelihood import Likelihood

__all__ = [
    "TailProbabilities",
    "asymptotic_tails",
    "cls_limit",
    "one_sided_statistic",
    "toy_tails",
]

FloatArray = NDArray[np.float64]
Progress = Callable[[int, int], None]

# Rises, in parts of that of Wilks' theorem, at whose ends CLs is looked at for its crossing.
_LEVELS = (0.1, 0.3, 0.6, 1.0, 1.5, 2.5, 4.0, 7.0, 12.0)
_ROUNDS = 3


@dataclass(frozen=True)
class TailProbabilities:
    """Probabilities of a statistic at least as large as the one seen.

    Attributes
    ----------
    signal, background : float
        CL_s+b, with the parameter at the tested value, and CL_b, with the parameter at zero.
    error : float
        Monte Carlo error of their ratio; zero from formulas.
    """

    signal: float
    background: float
    error: float = 0.0

    @property
    def cls(self) -> float:
        """CL_s+b / CL_b."""
        return self.signal / self.background if self.background > 0.0 else 1.0


def one_sided_statistic(fits: ToyFits, data: ArrayLike, value: float) -> FloatArray:
    """Statistic q at a value of the parameter, of each data vector, (toys,)."""
    vectors = np.atleast_2d(np.asarray(data, dtype=float))
    return np.where(fits.best(vectors)[0] <= value, fits.rises(vectors, value), 0.0)


def asymptotic_tails(statistic: float, asimov: float) -> TailProbabilities:
    """Tail probabilities of large samples (arXiv:1007.1727, eqs. 65 and 66).

    Parameters
    ----------
    statistic : float
        q of the data.
    asimov : float
        q of data that are the expectation with the parameter at zero.
    """
    root, spread = math.sqrt(max(statistic, 0.0)), math.sqrt(max(asimov, 0.0))
    if statistic <= asimov or spread == 0.0:
        return TailProbabilities(_tail(root), _tail(root - spread))
    return TailProbabilities(
        _tail((statistic + asimov) / (2.0 * spread)), _tail((statistic - asimov) / (2.0 * spread))
    )


def toy_tails(statistic: float, signal: FloatArray, background: FloatArray) -> TailProbabilities:
    """Tail probabilities from the statistics of toys of both hypotheses."""
    above = float((signal >= statistic).mean())
    beyond = float((background >= statistic).mean())
    if above == 0.0 or beyond == 0.0:
        # No toy beyond: at most about one in all of them.
        return TailProbabilities(above, beyond, 1.0 / (signal.size * max(beyond, above, 1e-300)))
    relative = (1.0 - above) / (above * signal.size) + (1.0 - beyond) / (beyond * background.size)
    return TailProbabilities(above, beyond, above / beyond * math.sqrt(relative))


def cls_limit(
    likelihood: Likelihood,
    poi: str,
    given: Mapping[str, float] | None = None,
    *,
    profiled: Sequence[str] | None = None,
    cl: float = 0.90,
    toys: int = 0,
    seed: int = 0,
    workers: int | None = None,
    progress: Progress | None = None,
) -> CLsLimit:
    """Upper limit of a coupling that is not negative, by CLs.

    Parameters
    ----------
    likelihood, poi, given, profiled, cl
        As for `Likelihood.limit`.
    toys : int
        Of each hypothesis at the limit; none by default: the formulas of large samples.
    seed : int
        The result depends on it, and not on the number of workers.
    workers : int, optional
        Threads; one by default.
    progress : callable, optional
        Called with the number of steps done and of all.

    Raises
    ------
    InputError
        A parameter whose range and default do not start at zero; see also `Likelihood.limit`.
    """
    parameter = likelihood.model.parameter(poi, "--poi")
    if parameter.kind != "coupling" or parameter.minimum != 0.0 or parameter.default != 0.0:
        raise InputError(
            f"{poi} has no value without signal from which CLs could count upwards",
            where="--method cls",
            hint="use --method feldman-cousins",
        )
    if toys != 0:
        check_toys(toys, cl, seed)
    fits = ToyFits(likelihood, poi, given, profiled)
    target = 1.0 - cl
    nothing = fits.mean(0.0)
    seen = fits.counts.observed

    def tails(value: float) -> TailProbabilities:
        asimov = float(one_sided_statistic(fits, nothing, value)[0])
        return asymptotic_tails(float(one_sided_statistic(fits, seen, value)[0]), asimov)

    limit = _outermost(tails, likelihood.profile(poi, given, profiled).pieces, cl)
    asymptotic, error, spent = limit, 0.0, 0
    if toys > 0 and math.isfinite(limit):
        with ThreadPoolExecutor(workers or 1) as pool:

            def found(step: int, value: float) -> TailProbabilities:
                count = toys if step == _ROUNDS - 1 else max(1, toys // COARSE)
                means = (fits.mean(value), nothing)

                def one(side: int) -> FloatArray:
                    drawn = draw_toys(means[side], count, seed, (step, side))
                    return one_sided_statistic(fits, drawn, value)

                signal, background = pool.map(one, (0, 1))
                statistic = float(one_sided_statistic(fits, seen, value)[0])
                return toy_tails(statistic, signal, background)

            for step in range(_ROUNDS):
                own = found(step, limit)
                spent += 2 * (toys if step == _ROUNDS - 1 else max(1, toys // COARSE))
                if own.cls == 0.0:
                    raise InputError(
                        f"{toys} toys are too few: none is beyond the data",
                        where="--toys",
                        hint="give more",
                    )
                # The formulas give the slope, the toys the height.
                slope = _log_slope(tails, limit)
                error = own.error / own.cls / abs(slope)
                limit += math.log(target / own.cls) / slope
                if progress is not None:
                    progress(step + 1, _ROUNDS)
    best = fits.best(seen)
    return CLsLimit(
        poi=poi,
        unit=parameter.unit,
        cl=cl,
        best_fit=float(best[0][0]),
        chi2_min=float(best[1][0]),
        intervals=[(0.0, limit)],
        interval_errors=[(0.0, error)],
        upper_limit=limit,
        upper_error=error,
        asymptotic_upper_limit=asymptotic,
        toys=spent,
        seed=seed,
        profiled=fits.profiled,
        parameters=dict(fits.counts.fixed),
        provenance=likelihood.provenance,
        doubts=likelihood.doubts(float(best[1][0]), 1 + len(fits.profiled)),
    )


def _outermost(
    tails: Callable[[float], TailProbabilities], pieces: Callable[[float], object], cl: float
) -> float:
    """Outermost value at which CLs is 1 - cl."""
    from scipy.optimize import brentq

    values: set[float] = set()
    for level in _LEVELS:
        for _, high in pieces(level * delta_chi2(cl)).intervals:  # type: ignore[attr-defined]
            values.add(high)
    points = sorted(v for v in values if math.isfinite(v) and v > 0.0)
    if not points:
        return math.inf
    far = 1e4 * points[-1]
    for low, high in reversed(list(zip([0.0, *points], [*points, far], strict=True))):
        outside, inside = tails(high).cls <= 1.0 - cl, low == 0.0 or tails(low).cls > 1.0 - cl
        if not outside:
            return math.inf
        if inside:
            root: float = brentq(
                lambda value: tails(value).cls - (1.0 - cl),
                low if low > 0.0 else 1e-6 * high,
                high,
                xtol=1e-12 * high,
                rtol=1e-12,
            )
            return root
    return math.inf


def _log_slope(tails: Callable[[float], TailProbabilities], value: float) -> float:
    """Derivative of log CLs by the parameter."""
    step = 1e-3 * value
    return (math.log(tails(value + step).cls) - math.log(tails(value - step).cls)) / (2.0 * step)


def _tail(z: float) -> float:
    return 0.5 * math.erfc(z / math.sqrt(2.0))
