"""What is asked of a likelihood, as its methods, in the words of the command line.

Answers live on floors above this one; they are imported when they are asked for.
"""

from __future__ import annotations

from abc import ABC
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from fastscan.exceptions import InputError, check_method
from fastscan.likelihoods.analysis import Analysis, held
from fastscan.vocabulary import LIMIT_METHODS, SCAN_METHODS

if TYPE_CHECKING:
    from fastscan.inference.line_posterior import Posterior
    from fastscan.inference.plane_posterior import PlanePosterior
    from fastscan.inference.toys import ToyFits
    from fastscan.likelihoods.function import Chi2Function
    from fastscan.results import Coverage, Expected, Fit, Impacts, Sensitivity
    from fastscan.scan.axes import Axis
    from fastscan.scan.boundary import Boundary
    from fastscan.scan.construction import ConstructionResult
    from fastscan.scan.result import ScanResult

__all__ = ["Questions"]

Given = Mapping[str, float] | None
Range = tuple[float, float, int] | tuple[float, float, int, str] | ArrayLike
Ends = tuple[float | None, float | None]

# Where the answers are.
_HOMES = {
    "Axis": "scan.axes",
    "Chi2Function": "likelihoods.function",
    "Scenario": "results",
    "ToyFits": "inference.toys",
    "best_fit": "inference.goodness",
    "cls_limit": "inference.cls",
    "coverage": "inference.coverage",
    "credible_intervals": "inference.posterior",
    "expected_limit": "inference.sensitivity",
    "feldman_cousins": "inference.feldman_cousins",
    "find_boundary": "scan.boundary",
    "find_impacts": "inference.impacts",
    "find_sensitivity": "scan.sensitivity",
    "posterior": "inference.posterior",
    "run_construction": "scan.construction",
    "run_scan": "scan.run",
    "scaled": "inference.sensitivity",
    "scan_in_memory": "scan.run",
}
# Toys of limits, at each point near an end.
_TOYS = 20_000


def _ask(name: str) -> Any:
    return getattr(import_module(f"fastscan.{_HOMES[name]}"), name)


class Questions(Analysis, ABC):
    """All that is asked of a likelihood.

    Parameters that are held are given as a mapping, ``given``, or by their names, as in
    ``limit("g", mass_mev=10.0)``; the rest stay at their defaults. Arguments and defaults are those
    of the command line: what is ``--profile`` there is ``profiled`` here, see
    `fastscan.vocabulary`.
    """

    def limit(
        self,
        poi: str,
        given: Given = None,
        *,
        method: str = "wilks",
        profiled: Sequence[str] | None = None,
        cl: float = 0.90,
        one_sided: bool = False,
        toys: int | None = None,
        seed: int | None = None,
        prior: str | None = None,
        workers: int | None = None,
        progress: Callable[..., None] | None = None,
        **parameters: float,
    ) -> Any:
        """All allowed intervals of one parameter, exactly, without a grid.

        Parameters
        ----------
        poi : str
            Parameter of interest.
        given : mapping, optional
            Values of other parameters; the rest stay at their defaults.
        method : {"wilks", "feldman-cousins", "cls", "bayes"}
            How the level is reached: by the rise of chi2, by toys, or by a prior.
        profiled : sequence of str, optional
            Parameters that chi2 is minimised over; by default the model's choice (the other two
            elements for a millicharge or a charge radius, none otherwise).
        cl : float
            Confidence level, one degree of freedom.
        one_sided : bool
            An upper limit alone, by wilks: 1.642 at 90 %; see `wilks_limit`.
        toys, seed : int, optional
            Of feldman-cousins and cls: toys at each point near an end, 20 000 by default, and their
            seed. No toys with cls: formulas of large samples.
        prior : {"flat-g", "flat-g2"}, optional
            Of bayes; flat in the parameter by default.
        workers : int, optional
            Threads of toys; all processors by default.
        progress : callable, optional
            Called with the toys done and all of them.
        **parameters : float
            As ``given``.

        Returns
        -------
        Limit, FeldmanCousinsLimit, CLsLimit or Credible
            By method; all have ``poi``, ``cl`` and ``chi2_min``.

        Raises
        ------
        InputError
            Unknown parameter or method, a value out of range, one parameter in two roles, or an
            argument that does nothing with the method.

        Examples
        --------
        >>> import fastscan
        >>> likelihood = fastscan.likelihood("vector")
        >>> f"{likelihood.limit('g', mass_mev=10.0).intervals[0][1]:.4g}"
        '1.959e-05'
        """
        own = {"toys": toys, "seed": seed, "prior": prior, "one_sided": one_sided or None}
        chosen = {name: value for name, value in own.items() if value is not None}
        check_method(method, LIMIT_METHODS, tuple(chosen))
        given = held(given, parameters)
        if method == "wilks":
            return self.wilks_limit(poi, given, profiled=profiled, cl=cl, one_sided=one_sided)
        if method == "bayes":
            if profiled is not None and len(profiled):
                raise InputError(
                    "a posterior of one parameter holds the others",
                    where="--profile",
                    hint="leave it out, or ask for the posterior of a plane",
                )
            found = _ask("credible_intervals")(self, poi, given, cl=cl, **chosen)
        else:
            finder = _ask("cls_limit" if method == "cls" else "feldman_cousins")
            common = {"profiled": profiled, "cl": cl, "workers": workers, "progress": progress}
            found = finder(self, poi, given, **common, **{"toys": _TOYS, **chosen})
        return found

    def best_fit(
        self,
        free: Sequence[str] | None = None,
        given: Given = None,
        *,
        toys: int = 0,
        seed: int = 0,
        **parameters: float,
    ) -> Fit:
        """Fit some parameters, and tell how good the fit is; see `fastscan.best_fit`.

        Examples
        --------
        >>> import fastscan
        >>> fit = fastscan.likelihood("sm").best_fit()
        >>> round(fit.chi2_min, 3), fit.ndf
        (7.394, 19)
        """
        fit: Fit = _ask("best_fit")(self, free, held(given, parameters), toys=toys, seed=seed)
        return fit

    def scan(
        self,
        axes: Sequence[Axis] = (),
        given: Given = None,
        *,
        out: str | Path | None = None,
        profiled: Sequence[str] = (),
        method: str = "wilks",
        cl: float | None = None,
        toys: int | None = None,
        precision: float | None = None,
        seed: int | None = None,
        scheduler: str = "threads",
        workers: int | None = None,
        resume: bool = False,
        block_points: int | None = None,
        dtype: str = "float64",
        progress: Callable[..., None] | None = None,
        **parameters: float | Range,
    ) -> ScanResult | ConstructionResult:
        """Chi2 on a grid, in memory, or in a zarr store where ``out`` is given.

        Parameters
        ----------
        axes : sequence of Axis
            Scanned parameters.
        given : mapping, optional
            Values of other parameters.
        out : path, optional
            A store to write, see `fastscan.run_scan`.
        profiled : sequence of str
            Couplings that chi2 is minimised over at each point.
        method : {"wilks", "feldman-cousins"}
            feldman-cousins: critical values from toys at every point of a plane, into a store; with
            ``cl``, ``toys``, ``precision`` and ``seed`` as in `fastscan.run_construction`.
        scheduler, resume, dtype
            Of a store, see `fastscan.run_scan`.
        workers, block_points : int, optional
        progress : callable, optional
            Called with the number of blocks done and of all blocks of a store.
        **parameters : float, tuple or array
            A number is the value of a parameter; ``(start, stop, points)`` or ``(start, stop,
            points, "log")`` is an axis, and so are points in an array of NumPy, pandas or xarray.

        Examples
        --------
        >>> import fastscan
        >>> likelihood = fastscan.likelihood("vector")
        >>> plane = likelihood.scan(mass_mev=(1.0, 10.0, 2), g=(1e-6, 1e-4, 3, "log"))
        >>> plane.chi2.dims, plane.chi2.shape
        (('mass_mev', 'g'), (2, 3))
        """
        own = {"cl": cl, "toys": toys, "precision": precision, "seed": seed}
        chosen = {name: value for name, value in own.items() if value is not None}
        check_method(method, SCAN_METHODS, tuple(chosen))
        axes, given = self._axes(axes, given, parameters)
        common: dict[str, Any] = {"workers": workers, "profiled": profiled}
        if out is None:
            stored = {"scheduler": scheduler != "threads", "dtype": dtype != "float64",
                      "resume": resume, "method": method != "wilks"}  # fmt: skip
            for name, asked in stored.items():
                if asked:
                    raise InputError(
                        f"a scan in memory has no {name}",
                        where=f"--{name}",
                        hint="name a store to write with --out",
                    )
            plane: ScanResult = _ask("scan_in_memory")(
                self, axes, given, block_points=block_points, **common
            )
            return plane
        common |= {"out": out, "scheduler": scheduler, "resume": resume, "progress": progress}
        if method == "wilks":
            common |= {"block_points": block_points, "dtype": dtype}
            written: ScanResult = _ask("run_scan")(self, axes, given, **common)
            return written
        construction: ConstructionResult = _ask("run_construction")(
            self, axes, given, **common, **chosen
        )
        return construction

    def boundary(
        self,
        poi: str | None = None,
        axis: Axis | None = None,
        given: Given = None,
        *,
        profiled: Sequence[str] = (),
        cl: float = 0.90,
        dof: int = 2,
        tolerance: float | None = None,
        workers: int | None = None,
        **parameters: float | Range,
    ) -> Boundary:
        """Exact excluded intervals of a coupling along an axis; see `fastscan.scan.find_boundary`.

        Parameters
        ----------
        poi : str, optional
            The coupling; by default the model's first one off the axis that is not set.
        axis : Axis
            Or by name, as in `scan`.

        Examples
        --------
        >>> import fastscan
        >>> likelihood = fastscan.likelihood("vector")
        >>> found = likelihood.boundary("g", mass_mev=(1.0, 10.0, 2))
        >>> [f"{low:.3g}" for [(low, high)] in map(found.excluded, range(2))]
        ['1.66e-05', '2.27e-05']
        """
        axes, given = self._axes([] if axis is None else [axis], given, parameters)
        own = _only(axes)
        if poi is None:
            couplings = [p.name for p in self.model.parameters if p.kind == "coupling"]
            free = [name for name in couplings if name != own.name and name not in given]
            if not free:
                raise InputError(
                    "no coupling is left to bound", where="--poi", hint="set fewer parameters"
                )
            poi = free[0]
        found: Boundary = _ask("find_boundary")(
            self, own, poi, given, profiled=profiled, cl=cl, dof=dof, tolerance=tolerance,
            workers=workers,
        )  # fmt: skip
        return found

    def posterior(
        self,
        poi: str | Sequence[str],
        given: Given = None,
        *,
        prior: str | Mapping[str, str] = "flat-g",
        box: Ends | Mapping[str, Ends] | None = None,
        **parameters: float,
    ) -> Posterior | PlanePosterior:
        """Posterior of one or two parameters, others held; see `fastscan.posterior`.

        Examples
        --------
        >>> import fastscan
        >>> found = fastscan.likelihood("vector").posterior("g", mass_mev=10.0)
        >>> f"{found.upper_limit(0.9):.3g}"
        '1.63e-05'
        """
        arguments = (self, poi, held(given, parameters))
        found: Posterior | PlanePosterior = _ask("posterior")(*arguments, prior=prior, box=box)
        return found

    def sensitivity(
        self,
        poi: str,
        given: Given = None,
        *,
        axis: Axis | None = None,
        exposure: float = 1.0,
        background: float = 1.0,
        threshold: float | None = None,
        profiled: Sequence[str] | None = None,
        cl: float = 0.90,
        toys: int = 1000,
        seed: int = 0,
        progress: Callable[[str, float], None] | None = None,
        **parameters: float | Range,
    ) -> Expected | Sensitivity:
        """Limits that an experiment is expected to set if nothing is new.

        Parameters
        ----------
        axis : Axis, optional
            Values of another parameter at which limits are found; or by name, as in `scan`. Then
            the result holds all of them.
        exposure, background : float
            In units of the present ones.
        threshold : float, optional
            In eV, instead of the present ones.
        poi, given, profiled, cl, toys, seed
            As for `fastscan.expected_limit`.

        Examples
        --------
        >>> import fastscan
        >>> likelihood = fastscan.likelihood("vector")
        >>> f"{likelihood.sensitivity('g', mass_mev=10.0, toys=0).asimov[1]:.3g}"
        '1.83e-05'
        """
        axes, given = self._axes([] if axis is None else [axis], given, parameters)
        scenario = _ask("Scenario")(exposure, background, threshold)
        common = {"profiled": profiled, "cl": cl, "toys": toys, "seed": seed}
        if not axes:
            future = _ask("scaled")(self, scenario)
            expected: Expected = _ask("expected_limit")(
                future, poi, given, observed=future is self, **common
            )
            return expected
        every: Sensitivity = _ask("find_sensitivity")(
            self, poi, given, axis=_only(axes), scenarios=[scenario], progress=progress, **common
        )
        return every

    def impacts(
        self,
        poi: str,
        given: Given = None,
        *,
        profiled: Sequence[str] | None = None,
        cl: float = 0.90,
        progress: Callable[[str, float], None] | None = None,
        **parameters: float,
    ) -> Impacts:
        """Nuisances, ranked by what they do to one parameter; see `fastscan.find_impacts`.

        Examples
        --------
        >>> import fastscan
        >>> found = fastscan.likelihood("sm").impacts("sin2_theta_w")
        >>> [(row.name, round(row.error, 3)) for row in found.rows]
        [('normalisation', 1.0)]
        """
        impacts: Impacts = _ask("find_impacts")(
            self, poi, held(given, parameters), profiled=profiled, cl=cl, progress=progress
        )
        return impacts

    def coverage(
        self,
        poi: str,
        value: float,
        given: Given = None,
        *,
        profiled: Sequence[str] | None = None,
        cl: float = 0.90,
        toys: int = 10_000,
        seed: int = 0,
        **parameters: float,
    ) -> Coverage:
        """How often each method's limits hold a true value; see `fastscan.coverage`."""
        found: Coverage = _ask("coverage")(
            self, poi, value, held(given, parameters), profiled=profiled, cl=cl, toys=toys,
            seed=seed,
        )  # fmt: skip
        return found

    def toys(
        self,
        poi: str | Sequence[str],
        given: Given = None,
        *,
        profiled: Sequence[str] | None = None,
        **parameters: float,
    ) -> ToyFits:
        """Fits of one or two parameters to many data vectors at once; see `fastscan.ToyFits`."""
        fits: ToyFits = _ask("ToyFits")(self, poi, held(given, parameters), profiled)
        return fits

    def chi2(self, *names: str, given: Given = None, **parameters: float) -> Chi2Function:
        """Chi2 as a fast function of points of some parameters; see `fastscan.Chi2Function`.

        Examples
        --------
        >>> import fastscan
        >>> chi2 = fastscan.likelihood("vector").chi2("g", mass_mev=10.0)
        >>> chi2([[0.0], [1e-5]]).round(3)
        array([7.394, 7.414])
        """
        function: Chi2Function = _ask("Chi2Function")(self, names, held(given, parameters))
        return function

    def _axes(
        self, axes: Sequence[Axis], given: Given, parameters: Mapping[str, float | Range]
    ) -> tuple[list[Axis], dict[str, float]]:
        """Axes and held values, those that keywords name among them."""
        every = list(axes)
        values: dict[str, float] = {}
        for name, value in parameters.items():
            if np.ndim(value) == 0:
                values[name] = value  # type: ignore[assignment]
                continue
            if not isinstance(value, (tuple, list)):
                every.append(_ask("Axis").through(name, value))
                continue
            if len(value) not in (3, 4):
                raise InputError(
                    f"axis of {len(value)} entries",
                    where=f"--axis {name}",
                    hint=f'write {name}=(start, stop, points) or (start, stop, points, "log")',
                )
            every.append(_ask("Axis")(name, *value))
        return every, held(given, values)


def _only(axes: Sequence[Axis]) -> Axis:
    if len(axes) != 1:
        raise InputError(
            f"{len(axes)} axes",
            where="--axis",
            hint="give one, as in mass_mev=(0.01, 1000, 50, 'log')",
        )
    return axes[0]
