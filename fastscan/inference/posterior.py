"""Bayesian posteriors of one and two parameters by direct quadrature, nuisances marginalised.

The integral over the nuisances is closed, see `fastscan.inference.marginal_likelihood`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from fastscan.exceptions import InputError
from fastscan.inference.dimension import PRIORS, Box, dimension_of
from fastscan.inference.line_posterior import Posterior
from fastscan.inference.marginal_likelihood import MarginalLikelihood
from fastscan.inference.plane_posterior import PlanePosterior
from fastscan.inference.prior_boxes import check_valley, fill_boxes
from fastscan.likelihoods.levels import delta_chi2
from fastscan.results import Credible

if TYPE_CHECKING:
    from fastscan.likelihoods.likelihood import Likelihood

__all__ = ["PRIORS", "PlanePosterior", "Posterior", "credible_intervals", "posterior"]


def posterior(
    likelihood: Likelihood,
    names: str | Sequence[str],
    given: Mapping[str, float] | None = None,
    *,
    prior: str | Mapping[str, str] = "flat-g",
    box: Box | Mapping[str, Box] | None = None,
    cl: float = 0.90,
) -> Posterior | PlanePosterior:
    """Posterior of one or two parameters, others held, nuisances marginalised in closed form.

    Parameters
    ----------
    likelihood : Likelihood
    names : str or sequence of one or two str
    given : mapping, optional
        Values of other parameters; the rest stay at their defaults.
    prior : {"flat-g", "flat-g2", "log-g"}, or mapping of name to one
        Flat in the parameter, in its square (for a signed parameter in sign(g) g**2, that is
        proportional to |g| in g), or in its logarithm.
    box : (low, high), or mapping of name to one
        Where the prior is not zero; None for an end leaves it at the parameter's bound, or where
        the likelihood has fallen to 1e-8 of its maximum.
    cl : float
        Probability of the regions that its tables, figures and words are of.

    Raises
    ------
    InputError
        Unknown parameter or prior; a box that is empty, not finite or out of range; a prior flat
        in the logarithm without a lower end above zero; no end of the box where the likelihood
        does not fall; a box that the data exclude.
    """
    delta_chi2(cl)
    names = (names,) if isinstance(names, str) else tuple(names)
    if len(names) not in (1, 2):
        raise InputError(
            f"posterior of {len(names)} parameters", where="--poi", hint="name one or two"
        )
    function = MarginalLikelihood(likelihood, names, given)
    dimensions, boxes = [], []
    for parameter in function.counts.parameters:
        dimension, own = dimension_of(function.counts, parameter, prior, box)
        dimensions.append(dimension)
        boxes.append(own)
    full, warning = fill_boxes(function, dimensions, boxes)
    if len(names) == 1:
        one = Posterior(function, dimensions[0], full[0], cl)
        one.warning = warning
        return one
    pair = (dimensions[0], dimensions[1])
    check_valley(function, pair, boxes, full)
    return PlanePosterior(function, pair, (full[0], full[1]), warning, cl)


def credible_intervals(
    likelihood: Likelihood,
    poi: str,
    given: Mapping[str, float] | None = None,
    *,
    prior: str = "flat-g",
    cl: float = 0.90,
    box: Box | None = None,
) -> Credible:
    """Credible intervals and upper limit of one parameter; arguments as for `posterior`.

    Examples
    --------
    >>> import fastscan
    >>> from fastscan.inference.posterior import credible_intervals
    >>> found = credible_intervals(fastscan.likelihood("vector"), "g", {"mass_mev": 10.0})
    >>> f"{found.upper_limit:.3e}"
    '1.629e-05'
    """
    one = posterior(likelihood, poi, given, prior=prior, box=box, cl=cl)
    assert isinstance(one, Posterior)
    return one.credible(cl)
