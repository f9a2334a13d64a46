"""Fits of toys against drawing the random numbers they are made of."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from fastscan.bench.measure import in_turn, rate, ratio
from fastscan.bench.report import Entry
from fastscan.inference.toys import ToyFits, toy_noise
from fastscan.likelihoods import Likelihood

__all__ = ["measure_toys"]


def measure_toys(
    vector: Likelihood, standard: Likelihood, toys: int, repetitions: int
) -> Iterator[Entry]:
    """Toys of one parameter, and of a mass and a coupling, on one core.

    Parameters
    ----------
    vector, standard : Likelihood
        Of the models ``vector`` and ``sm``.
    toys : int
        Of one parameter in a measurement; a tenth of it with a mass.
    repetitions : int
    """
    cases = {
        "toys_vector": (ToyFits(vector, "g", {"mass_mev": 10.0}), toys, "vector, g"),
        "toys_sm": (ToyFits(standard, "sin2_theta_w"), toys, "sm, sin2_theta_w"),
        "toys_plane": (ToyFits(vector, "g", {}, ["mass_mev"]), toys // 10, "vector, mass and g"),
    }
    for name, (fits, count, what) in cases.items():
        mean = fits.counts.observed
        drawn = fits.draw(mean, count, 1)
        seconds = in_turn(
            repetitions,
            {
                "noise": partial(toy_noise, mean.size, count, 1),
                "fit": partial(fits.best, drawn),
                "both": partial(_draw_and_fit, fits, count),
            },
        )
        yield Entry(
            name,
            rate(count, seconds["both"]),
            "toys/s",
            f"toys drawn and fitted, {what}, {mean.size - 1} bins, one core",
            ">= 1e6" if count == toys else "",
        )
        yield Entry(
            f"{name}_fits",
            rate(count, seconds["fit"]),
            "toys/s",
            f"fits alone of toys that are drawn already, {what}",
        )
        yield Entry(
            f"{name}_over_noise",
            ratio(seconds["both"], seconds["noise"]),
            "1",
            f"time of toys over that of drawing their normal numbers, {what}",
        )


def _draw_and_fit(fits: ToyFits, count: int) -> None:
    fits.best(fits.draw(fits.counts.observed, count, 1))
