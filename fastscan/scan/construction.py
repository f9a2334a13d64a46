"""Confidence regions of two parameters by the unified construction, into a zarr store.

Toys of a point are made with the nuisances that fit the data there, each is fitted over the whole
plane, and the critical value is the quantile of chi2 at the point above the toy's minimum; see
`fastscan.inference.feldman_cousins`. Fits go over the masses of the axis, and over all values of a
coupling. One set of toys serves all points (`fastscan.inference.shared_toys`); a point of which
that can not say enough gets toys of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastscan.exceptions import InputError, StoreError
from fastscan.inference.critical_values import Critical, critical_value
from fastscan.inference.edges import check_box, outside_words
from fastscan.inference.shared_toys import FIRST, MOST, SharedToys
from fastscan.inference.toys import ToyFits, draw_toys
from fastscan.likelihoods import Chi2Form, Likelihood, delta_chi2
from fastscan.likelihoods.minimum import Minimum, find_minimum, point_words
from fastscan.results import Column, Touch, edge_words
from fastscan.scan.axes import Axis
from fastscan.scan.completion import Progress, fill_store
from fastscan.scan.construction_store import CONSTRUCTION
from fastscan.scan.edges import box_of, touching
from fastscan.scan.executors import Index, check_stopped, default_workers
from fastscan.scan.grid import Grid
from fastscan.scan.origin import find_likelihood
from fastscan.scan.provenance import Scanned, scan_header
from fastscan.scan.result import BestFit, ScanResult, ordered
from fastscan.storage.contents import Contents
from fastscan.storage.layout import BLOCK_DONE
from fastscan.storage.paths import local_path
from fastscan.storage.plan import Plan
from fastscan.storage.writer import BlockWriter

__all__ = [
    "DEFAULT_TOYS",
    "PORTION",
    "ConstructionResult",
    "run_construction",
]

FloatArray = NDArray[np.float64]

DEFAULT_TOYS = 1000
# Points of an axis among which those are chosen around which toys are drawn.
_SAMPLED = 64
# Least effective number of toys beyond a critical value.
_BEYOND = 25.0
# Toys of a point's own that are drawn and fitted at a time, until the error is small enough.
PORTION = 2048
_MOST_PORTIONS = 64
# A point whose statistic is closer to its critical value than this many errors is near the border,
# where errors are to be half as large.
_NEAR = 4.0
_BORDER = 0.5


class ConstructionResult(Scanned):
    """A complete construction on disk.

    Attributes
    ----------
    path : Path
    header : dict
        As a scan's, with ``cl``, ``seed``, ``toys``, ``precision`` and the best fit.
    names, shape : tuple
    coordinates : dict of (points,) arrays
    units : dict of str
    """

    def __init__(self, contents: Contents) -> None:
        self._contents = contents
        self.path = contents.path
        self.header, self._places = ordered(contents.header)
        self.names: tuple[str, ...] = tuple(axis["name"] for axis in self.header["axes"])
        self.coordinates: dict[str, FloatArray] = {n: contents.read(n) for n in self.names}
        self.units = {name: contents.unit(name) for name in self.names}
        self.shape = tuple(contents.plan.shape[place] for place in self._places)

    @classmethod
    def open(cls, path: str | Path) -> ConstructionResult:
        """Open a complete construction.

        Raises
        ------
        StoreError
            Missing, foreign, damaged, or not complete.
        """
        contents = Contents.open(local_path(path), CONSTRUCTION)
        done = int((contents.block_status() == BLOCK_DONE).sum())
        if done < contents.plan.blocks:
            raise StoreError(
                f"construction is not complete: {done} of {contents.plan.blocks} rows",
                where=str(path),
                hint="finish it with the command it was made with and --resume",
            )
        return cls(contents)

    @property
    def cl(self) -> float:
        """Confidence level of the critical values."""
        return float(self.header["cl"])

    @cached_property
    def statistic(self) -> FloatArray:
        """Chi2 of the data above its minimum in the plane."""
        return self._read("statistic")

    @cached_property
    def critical_value(self) -> FloatArray:
        """Critical value at each point."""
        return self._read("critical_value")

    @cached_property
    def critical_error(self) -> FloatArray:
        """Its Monte Carlo error."""
        return self._read("critical_error")

    @cached_property
    def toys(self) -> NDArray[np.int64]:
        """Effective number of toys at each point."""
        return self._read("toys")

    @property
    def best_fit(self) -> BestFit:
        """The best fit in the plane, between grid points."""
        best = self.header["best_fit"]
        point = {name: float(best["point"][name]) for name in self.names}
        return BestFit(point, float(best["chi2"]), float(best["alpha_hat"]))

    def as_scan(self, level: float | None = None) -> ScanResult:
        """Surfaces as contours and figures know them, the best fit at zero.

        Parameters
        ----------
        level : float, optional
            Height of the construction's border: the statistic over its critical value, times this.
            By default the plain statistic, of which Wilks' theorem makes a border.
        """
        values = self.statistic
        return _Surface(self, values if level is None else values / self.critical_value * level)

    @cached_property
    def touches(self) -> list[Touch]:
        """Ends of axes that the region reaches."""
        ratio = self.as_scan(1.0)
        return touching(ratio.values <= 1.0, ratio.axes, ratio.bounds)

    @cached_property
    def warnings(self) -> list[str]:
        """On edges that cut off the region, on the minimum and on absurd fits."""
        best = self.best_fit
        lowest = best.chi2 + float(self.statistic.min())
        box = box_of(self.as_scan().axes)
        outside = outside_words(Minimum(best.point, best.chi2), box, lowest)
        words = [word for word in (edge_words(self.touches), outside) if word]
        likelihood, _ = find_likelihood(self.header)
        if likelihood is not None:
            words += likelihood.doubts(best.chi2, len(self.names))
        return words

    @property
    def _told(self) -> tuple[str, ...]:
        return ()

    @property
    def largest_relative_error(self) -> float:
        """Of the critical values, by the toys being so few."""
        return float((self.critical_error / self.critical_value).max())

    @property
    def headline(self) -> str:
        """Points, toys, and the best fit."""
        shape = " x ".join(f"{n} {name}" for name, n in zip(self.names, self.shape, strict=True))
        best = self.best_fit
        at = f"best fit {point_words(best.point)}; chi2 = {best.chi2:.4f}"
        toys = f"{int(self.toys.min())} toys or more, {100 * self.cl:g} % C.L."
        return f"{shape} points by the unified construction, {toys}, {at}"

    def _entries(self) -> dict[str, Any]:
        best = self.best_fit
        return {
            "store": str(self.path),
            "shape": dict(zip(self.names, self.shape, strict=True)),
            "best_fit": best.point,
            "chi2_min": best.chi2,
            "alpha_hat": best.alpha_hat,
            "method": "feldman-cousins",
            "cl": self.cl,
            "least_effective_toys": int(self.toys.min()),
            "largest_relative_error": self.largest_relative_error,
            "touches": self.touches,
            **super()._entries(),
        }

    def _columns(self) -> dict[str, Column]:
        layout = CONSTRUCTION.points
        return {
            **{
                name: Column(self.names, getattr(self, name), words=layout[name].long_name)
                for name in ("statistic", "critical_value", "critical_error", "toys")
            },
            **{
                name: Column((name,), values, self.units[name])
                for name, values in self.coordinates.items()
            },
        }

    def _state(self) -> dict[str, Any]:
        arrays = {name: column[:2] for name, column in self._columns().items()}
        return {"header": self.header, "columns": arrays}

    def _read(self, name: str) -> NDArray[Any]:
        return self._contents.read(name).transpose(self._places)


class _Surface(ScanResult):
    """A function of the plane of a construction, as if it had been scanned."""

    def __init__(self, construction: ConstructionResult, values: FloatArray) -> None:
        super().__init__(construction.header, construction.units, construction.path)
        self.coordinates = construction.coordinates
        self._values = values
        self._best = construction.best_fit

    @property
    def _made_again(self) -> tuple[Likelihood | None, str]:
        return None, "critical values are known at the points of the grid alone"

    def _read(self) -> FloatArray:
        return self._values

    @property
    def best_fit(self) -> BestFit:
        return BestFit(self._best.point, 0.0, self._best.alpha_hat)


def run_construction(
    likelihood: Likelihood,
    axes: Sequence[Axis],
    given: Mapping[str, float] | None = None,
    *,
    out: str | Path,
    profiled: Sequence[str] = (),
    cl: float = 0.90,
    toys: int = DEFAULT_TOYS,
    precision: float = 0.02,
    seed: int = 0,
    scheduler: str = "threads",
    workers: int | None = None,
    resume: bool = False,
    progress: Progress | None = None,
) -> ConstructionResult:
    """Construct the confidence region of two parameters into a zarr store.

    Parameters
    ----------
    likelihood, axes, given, profiled
        As for `fastscan.scan.Grid`, two axes.
    out : path
        The store to make; it must not exist, unless ``resume``.
    cl : float
    toys : int
        Least effective number at each point.
    precision : float
        Relative error of the critical values: where it is larger, more toys are made, within
        bounds. Near the border of the region it is half of this.
    seed : int
        The result depends on it, and not on workers or interruptions.
    scheduler, workers, resume, progress
        As for `fastscan.scan.run_scan`; a block is a row of the plane.

    Raises
    ------
    InputError
        Bad axes, parameters, level, numbers of toys, or scheduler.
    StoreError
        The output exists, or is not the construction to resume.
    RunError
        The disk filled up or a worker died; finished rows are kept.
    """
    path = local_path(out)
    if toys < 1 or not 0.0 < precision < 1.0 or seed < 0:
        raise InputError(
            f"{toys} toys, precision {precision:g}, seed {seed}",
            where="--toys, --precision, --seed",
            hint="give a number of toys from 1, a precision such as 0.02, a seed from 0",
        )
    delta_chi2(cl)  # refuses a level that is none
    grid = Grid(likelihood, axes, given, profiled)
    names = [axis.name for axis in grid.axes]
    if len(names) != 2:
        raise InputError(
            f"toys are fitted in a plane, not over {', '.join(names)}",
            where="--axis",
            hint="scan a mass and a coupling, or two couplings",
        )
    masses = {
        axis.name: (axis.start, axis.stop)
        for axis in grid.axes
        if likelihood.model.parameter(axis.name).kind == "shape"
    }
    fits = ToyFits(likelihood, names, given, grid.profiled, ranges=masses)
    best, chi2 = fits.best(fits.counts.observed)
    # What the fits, over the masses of the axis, can not reach.
    check_box(float(chi2[0]), find_minimum(grid.form))
    header = {
        **scan_header(likelihood, grid),
        "method": "feldman-cousins",
        "cl": cl,
        "toys": toys,
        "precision": precision,
        "seed": seed,
        "best_fit": {
            "point": {name: float(v) for name, v in zip(names, best[0], strict=True)},
            "chi2": float(chi2[0]),
            "alpha_hat": _alpha_hat(grid.form, dict(zip(names, best[0], strict=True))),
        },
    }
    # Blocks of one row each.
    plan = Plan.of(grid.shape, grid.shape[-1])
    values = tuple(axis.values for axis in grid.axes)
    shared = SharedToys.over(fits, _sampled(values), cl, seed)
    # Also compiles kernels before workers race for them.
    shared.prepare(workers or default_workers())
    work = _Work(shared, plan, values, str(path.absolute()), toys, precision)
    fill_store(
        path,
        CONSTRUCTION,
        header,
        grid.axes,
        [likelihood.model.parameter(name) for name in names],
        plan,
        compute_row,
        lambda _: work,
        scheduler=scheduler,
        workers=workers,
        resume=resume,
        progress=progress,
    )
    return ConstructionResult.open(path)


def _sampled(values: Sequence[FloatArray]) -> FloatArray:
    """Points of a grid, all or some of each axis with its ends, shape (points, axes)."""
    some = [
        own[np.unique(np.linspace(0, own.size - 1, _SAMPLED).round().astype(int))] for own in values
    ]
    return np.stack([part.ravel() for part in np.meshgrid(*some, indexing="ij")], axis=1)


@dataclass(frozen=True)
class _Work:
    """What every row shares."""

    shared: SharedToys
    plan: Plan
    values: tuple[FloatArray, ...]
    path: str
    toys: int
    precision: float

    @cached_property
    def writer(self) -> BlockWriter:
        """The store, opened once in each process."""
        return BlockWriter.open(Path(self.path), CONSTRUCTION, self.plan)

    def __getstate__(self) -> dict[str, object]:
        return {name: value for name, value in self.__dict__.items() if name != "writer"}

    def row(self, number: int) -> tuple[FloatArray, list[Critical]]:
        """Statistic of the data and critical value at the points of a row."""
        first, second = self.values
        points = np.column_stack([np.full(second.size, first[number]), second])
        fits = self.shared.fits
        seen = fits.counts.observed[None]
        statistic = np.maximum(fits.best_scores(seen)[0] - fits.scores(seen, points)[0], 0.0)
        found = [Critical(np.nan, np.inf, 0)] * second.size
        least = max(self.toys, _BEYOND / (1.0 - self.shared.cl))
        batches, left = FIRST, np.arange(second.size)
        while left.size and batches <= MOST:
            check_stopped()
            for at, critical in zip(
                left, self.shared.criticals(points[left], batches), strict=True
            ):
                found[at] = critical
            few = [
                found[at].toys < least or not self._precise(statistic[at], found[at]) for at in left
            ]
            left = left[few]
            batches *= 2
        for at in left:
            own = self._own(points[at], statistic[at], (number, int(at)))
            # As good as it gets: what the shared toys know may be more.
            if not found[at].error <= own.error:
                found[at] = own
        return statistic, found

    def _own(self, point: FloatArray, statistic: float, key: tuple[int, int]) -> Critical:
        """Critical value at a point, from toys of its own."""
        fits, shared = self.shared.fits, self.shared
        mean = fits.means(point[None])[0]
        rises: list[FloatArray] = []
        while True:
            check_stopped()
            drawn = draw_toys(mean, PORTION, shared.seed, (*key, len(rises)))
            rises.append(fits.rises(drawn, point.tolist()))
            if len(rises) * PORTION < self.toys:
                continue
            critical = critical_value(np.concatenate(rises), shared.cl)
            if self._precise(statistic, critical) or len(rises) >= _MOST_PORTIONS:
                return critical

    def _precise(self, statistic: float, critical: Critical) -> bool:
        near = abs(statistic - critical.value) < _NEAR * critical.error
        wanted = self.precision * (_BORDER if near else 1.0) * critical.value
        return critical.error <= wanted


def compute_row(work: _Work, index: Index) -> None:
    """One task: all points of a row, and writing them.

    Raises
    ------
    RunError
        The row could not be written.
    """
    statistic, critical = work.row(work.plan.slices(index)[0].start)
    arrays = {
        "statistic": statistic[None],
        "critical_value": np.array([[c.value for c in critical]]),
        "critical_error": np.array([[c.error for c in critical]]),
        "toys": np.array([[c.toys for c in critical]], dtype=np.int64),
    }
    work.writer.write(index, arrays)


def _alpha_hat(form: Chi2Form, point: Mapping[str, float]) -> float:
    """Normalisation shift at the best fit; zero where a coupling is infinite there."""
    if not np.isfinite(list(point.values())).all():
        return 0.0
    if len(point) == len(form.counts.names):
        at = np.array([point[name] for name in form.counts.names])
    else:
        # Loaded by those who profile.
        from fastscan.likelihoods.profiled_grid import profiled_minima

        at = profiled_minima(form, point)[1][0]
    return form.fit_at(at).relative_change
