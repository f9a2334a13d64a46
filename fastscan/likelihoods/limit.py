"""Allowed intervals of one parameter."""

from __future__ import annotations

from dataclasses import dataclass

from fastscan.likelihoods.profile import Basin

__all__ = ["Limit"]


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
    one_sided : bool
        An upper limit: up to it everything is allowed.
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
    one_sided: bool = False
