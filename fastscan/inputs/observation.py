"""Observation: an excess over background, or counts, in bins of ionisation energy."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator

from fastscan.inputs.detector import ENERGY, LIVE_TIME
from fastscan.inputs.quantities import Columns, Quantity
from fastscan.inputs.schema import Model, NonNegative, Positive, TableFile, problem
from fastscan.inputs.tables import FloatArray, Table, read_only

__all__ = ["Observation"]

# Tensors of so many bins are refused when they are built; of more the table is not even read.
MOST_ROWS = 100_000
# Of the response for a bin: 500 recoil energies are few.
FEWEST_BYTES = 4000


class Observation(Model):
    """Observed excess or counts, and what the numbers count.

    ``likelihood = "gaussian"``: an excess over background with its error, ``excess`` and ``sigma``.
    ``"poisson"``: all that was counted, whole numbers ``counts``; what was expected without a
    signal are the backgrounds of the experiment. ``asimov = true``: they are expected counts, and
    need not be whole numbers.

    ``per-kg`` counts are per kg of the detectors that reach the bin, in the reference live time;
    ``total`` counts are those of the whole exposure. With ``sm_expectation`` the rates are scaled
    to a published number of CEvNS events at the Standard Model. ``start_ev`` and ``stop_ev`` leave
    out the bins below and above.
    """

    file: Annotated[TableFile, Columns((("high_ev", ENERGY),))]
    likelihood: Literal["gaussian", "poisson"] = "gaussian"
    asimov: bool = False
    normalisation: Literal["per-kg", "total"]
    reference_live_time_d: Annotated[Positive, LIVE_TIME] = 0.0
    sm_expectation: Annotated[Positive | None, Quantity("counts", 1e-3, 1e9)] = None
    start_ev: NonNegative | None = None
    stop_ev: Positive | None = None

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if self.normalisation == "per-kg":
            self._need("normalisation = 'per-kg'", "reference_live_time_d")
        if self.counted and self.normalisation == "per-kg":
            raise problem(
                "counts per kg are no counts: likelihood = 'poisson' needs those that were seen",
                "write normalisation = 'total'",
            )
        if self.asimov and not self.counted:
            raise problem("asimov = true is said of counts", "write likelihood = 'poisson', too")
        rows = self.file.content.count(b"\n")
        if rows > MOST_ROWS:
            raise problem(
                f"{rows} rows: with a bin each the response tensors would have more than "
                f"{rows * FEWEST_BYTES / 1e9:.2g} GB",
                "use fewer, wider bins",
            )
        table = self._table
        low, high = table["low_ev"], table["high_ev"]
        table.require(low >= 0, "low_ev is negative")
        table.require(high > low, "empty bin: high_ev is not above low_ev")
        table.require_increasing("low_ev")
        gap = low - np.array([low[0], *high[:-1]])
        rounding = 1e-9 * high
        table.require(gap >= -rounding, "bin overlaps the one before", "join them edge to edge")
        table.require(gap <= rounding, "gap to the bin before", "join them edge to edge")
        if self.counted:
            table.require(table["counts"] >= 0, "counts are negative", self._excess_hint)
            whole = table["counts"] == np.round(table["counts"])
            table.require(whole | self.asimov, "counts are no whole number", self._excess_hint)
        else:
            table.require(table["sigma"] > 0, "sigma is not above 0")
        edges = np.array([*low, high[-1]])
        for key in ("start_ev", "stop_ev"):
            value = getattr(self, key)
            if value is not None and abs(edges - value).min() > rounding.max():
                nearest = edges[np.argmin(abs(edges - value))]
                raise problem(
                    f"{key} = {value:g} is not an edge of the bins", f"the nearest is {nearest:g}"
                )
        if not self._used.any():
            raise problem("start_ev and stop_ev leave no bin", "lower start_ev or raise stop_ev")
        return self

    def unread(self) -> dict[str, str]:
        """Keys that change no count as the others are, and why; see `Experiment.unread`."""
        if self.normalisation == "per-kg":
            return {}
        reason = "counts of observation.normalisation = 'total' are those of the whole exposure"
        return {"reference_live_time_d": reason}

    @property
    def counted(self) -> bool:
        """Whether the bins hold counts, not an excess with an error."""
        return self.likelihood == "poisson"

    @property
    def _excess_hint(self) -> str:
        return (
            "an excess over background is likelihood = 'gaussian'; expected counts need "
            "asimov = true"
        )

    @property
    def _table(self) -> Table:
        columns = ("counts",) if self.counted else ("excess", "sigma")
        return self.file.table(("low_ev", "high_ev", *columns))

    @property
    def _used(self) -> NDArray[np.bool_]:
        middle = 0.5 * (self._table["low_ev"] + self._table["high_ev"])
        stop = np.inf if self.stop_ev is None else self.stop_ev
        used: NDArray[np.bool_] = (middle > (self.start_ev or 0.0)) & (middle < stop)
        return used

    @property
    def edges_ev(self) -> FloatArray:
        """Bin edges in eV_ee, shape (b + 1,)."""
        used = self._used
        return read_only([*self._table["low_ev"][used], self._table["high_ev"][used][-1]])

    @property
    def counts(self) -> FloatArray:
        """Observed excess, or counts, in each bin, in `unit`, shape (b,)."""
        return read_only(self._table["counts" if self.counted else "excess"][self._used])

    @property
    def sigma(self) -> FloatArray:
        """Its standard deviation; of counts the root, of none one, shape (b,)."""
        if self.counted:
            return read_only(np.sqrt(np.maximum(self.counts, 1.0)))
        return read_only(self._table["sigma"][self._used])

    def same_data(self, other: Observation) -> bool:
        """Whether another observation has the same bins, counts and errors."""
        return all(
            np.array_equal(getattr(self, name), getattr(other, name))
            for name in ("edges_ev", "counts", "sigma")
        )

    @property
    def unit(self) -> str:
        """Unit of counts, sigma and predicted rates, each per bin."""
        if self.normalisation == "total":
            return "counts"
        return f"counts / kg / {self.reference_live_time_d:g} d"

    def tensor_inputs(self) -> dict[str, Any]:
        """Describe what the response tensors depend on; see `Experiment.tensor_inputs`."""
        inputs: dict[str, Any] = {
            "edges_ev": self.edges_ev.tolist(),
            "normalisation": self.normalisation,
            "sm_expectation": self.sm_expectation,
        }
        if self.normalisation == "per-kg":
            inputs["reference_live_time_d"] = self.reference_live_time_d
        return inputs
