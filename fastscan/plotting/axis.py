"""A scanned parameter as an axis of a figure: label, scale, limits."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullFormatter
from numpy.typing import NDArray

from fastscan.exceptions import InputError
from fastscan.models import Parameter, recorded_model
from fastscan.scan import ScanResult
from fastscan.text import for_figure

__all__ = ["PlotAxis", "parameters_of", "unit_words"]

FloatArray = NDArray[np.float64]

# Up to so many decades each one gets its number.
_MOST_DECADES = 11

# Units as the models write them, in mathtext where the letters differ.
_UNITS = {
    "1": "",
    "cm2": "cm$^2$",
    "eV2": "eV$^2$",
    "e": "$e$",
    "mu_B": r"$\mu_\mathrm{B}$",
}


def parameters_of(result: ScanResult) -> list[Parameter]:
    """The scanned parameters, as their model describes them.

    Raises
    ------
    InputError
        The scan is of a model or a parameter that this version does not have.
    """
    header = result.header
    model = recorded_model(header)
    return [model.parameter(axis["name"]) for axis in header["axes"]]


@dataclass(frozen=True)
class PlotAxis:
    """One axis of a figure.

    Attributes
    ----------
    label : str
        Symbol and unit, in mathtext.
    logarithmic : bool
        As the first of the scans is spaced.
    exponent : int
        Numbers along the axis are in units of 10**exponent; zero on a logarithmic axis.
    start, stop : float
        Ends, in the parameter's unit.
    """

    label: str
    logarithmic: bool
    exponent: int
    start: float
    stop: float

    @classmethod
    def of(cls, results: Sequence[ScanResult], position: int) -> PlotAxis:
        """Describe the axis on which some scans share a parameter, from the least to the greatest.

        Raises
        ------
        InputError
            The parameters differ, or the model is not known to this version.
        """
        parameter = parameters_of(results[0])[position]
        for result in results[1:]:
            other = result.names[position]
            if other != parameter.name:
                raise InputError(
                    f"scans of {parameter.name} and of {other} do not fit one axis",
                    where=str(result.path),
                    hint="draw scans of the same parameters together",
                )
        ends = [result.header["axes"][position] for result in results]
        start = min(float(end["start"]) for end in ends)
        stop = max(float(end["stop"]) for end in ends)
        logarithmic = ends[0]["spacing"] == "log" and start > 0.0
        return cls.of_parameter(parameter, start, stop, logarithmic=logarithmic)

    @classmethod
    def of_parameter(
        cls,
        parameter: Parameter,
        start: float,
        stop: float,
        *,
        logarithmic: bool = False,
        exponent: int | None = None,
        symbol: str = "",
    ) -> PlotAxis:
        """Describe an axis from one value of a parameter to another.

        Parameters
        ----------
        parameter : Parameter
        start, stop : float
        logarithmic : bool
        exponent : int, optional
            Of the power of ten that stands beside the label; from the values by default.
        symbol : str
            In place of the parameter's own.
        """
        if exponent is None:
            exponent = 0 if logarithmic else _common_exponent(start, stop)
        words = f"${symbol}$" if symbol else symbol_words(parameter)
        label = _label(words, parameter.unit, exponent)
        return cls(label, logarithmic, exponent, start, stop)

    def scaled(self, values: FloatArray) -> FloatArray:
        """Values of the parameter as numbers along the axis."""
        return np.asarray(values, dtype=float) / 10.0**self.exponent

    def apply(self, axes: Axes, which: str) -> None:
        """Set scale, limits and label of the x or y axis."""
        scale = "log" if self.logarithmic else "linear"
        low, high = (float(end) for end in self.scaled(np.array([self.start, self.stop])))
        if which == "x":
            axes.set(xscale=scale, xlim=(low, high), xlabel=self.label)
        else:
            axes.set(yscale=scale, ylim=(low, high), ylabel=self.label)
        if self.logarithmic and high / low > 10.0:
            axis = axes.xaxis if which == "x" else axes.yaxis
            axis.set_major_locator(LogLocator(numticks=_MOST_DECADES))
            axis.set_minor_locator(LogLocator(subs=range(2, 10), numticks=_MOST_DECADES))
            axis.set_minor_formatter(NullFormatter())


def unit_words(unit: str) -> str:
    """A unit for a label, in mathtext; nothing for pure numbers."""
    return _UNITS.get(unit, for_figure(unit))


def symbol_words(parameter: Parameter) -> str:
    """The symbol of a parameter, as mathtext.

    Raises
    ------
    InputError
        It can not be read as such: a model of a user's own states it.
    """
    from matplotlib.mathtext import MathTextParser

    words = f"${parameter.symbol}$"
    try:
        MathTextParser("path").parse(words)
    except ValueError as error:
        raise InputError(
            f"the symbol {parameter.symbol!r} can not be drawn",
            where=f"parameter {parameter.name}",
            hint="write it in TeX, as far as matplotlib's mathtext knows that",
        ) from error
    return words


def _common_exponent(start: float, stop: float) -> int:
    """Power of ten to write once, beside the label, instead of with every number."""
    largest = max(abs(start), abs(stop))
    exponent = math.floor(math.log10(largest)) if largest > 0.0 else 0
    return exponent if exponent > 3 or exponent < -2 else 0


def _label(symbol: str, unit: str, exponent: int) -> str:
    factor = f"$10^{{{exponent}}}$" if exponent else ""
    inside = " ".join(filter(None, (factor, unit_words(unit))))
    return symbol + (f" [{inside}]" if inside else "")
