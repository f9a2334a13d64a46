"""Chi2, profiles and limits of a model's parameters, whatever they are fitted to."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from fastscan.counts import Constraint, Counts
from fastscan.exceptions import InputError
from fastscan.likelihoods.form import Chi2Form, chi2_form
from fastscan.likelihoods.levels import delta_chi2
from fastscan.likelihoods.profile import Profile
from fastscan.models import Model
from fastscan.results import Limit, ProfileCurve, Provenance

__all__ = ["Analysis", "held"]


def held(given: Mapping[str, float] | None, parameters: Mapping[str, float]) -> dict[str, float]:
    """Values of parameters from a mapping and from keywords, which are the same.

    Raises
    ------
    InputError
        A parameter is given both ways.
    """
    found = {} if given is None else dict(given)
    for name in parameters:
        if name in found:
            raise InputError(
                f"{name} is given twice", where="--set", hint="give it once, by name or in given"
            )
    return {**found, **parameters}


# Of a curve unless told otherwise: rise of chi2 that it reaches beyond, and points.
_WIDE, _POINTS = 9.0, 201


class Analysis(ABC):
    """What is asked of the parameters of a model, given their counts.

    Attributes
    ----------
    model : Model
    constraints : tuple of Constraint
        External measurements of parameters.
    """

    model: Model
    constraints: tuple[Constraint, ...]

    @abstractmethod
    def counts(self, names: Sequence[str] = (), given: Mapping[str, float] | None = None) -> Counts:
        """Counts as polynomials in some parameters, the others held."""

    @property
    @abstractmethod
    def provenance(self) -> Provenance:
        """Model, experiment, channels, constraints and data, for results."""

    @abstractmethod
    def doubts(self, chi2_min: float | None = None, free: int = 0) -> list[str]:
        """Words on fits that are too bad or too good to be true."""

    def form(self, names: Sequence[str] = (), given: Mapping[str, float] | None = None) -> Chi2Form:
        """Chi2 of some parameters, the others held; arguments as for `counts`.

        Raises
        ------
        InputError
            As `counts`, or a parameter that no neutrino of the experiment feels.
        """
        self.check_felt(names, given)
        return chi2_form(self.counts(names, given))

    @property
    @abstractmethod
    def flavours(self) -> tuple[str, ...]:
        """Flavours of the neutrinos that make the counts."""

    def felt(self, name: str) -> bool:
        """Whether some of the neutrinos feel a parameter of the model."""
        return self.model.parameter(name).felt_by(self.flavours)

    def check_felt(
        self, names: Sequence[str] = (), given: Mapping[str, float] | None = None
    ) -> None:
        """Refuse parameters that are free, or held at new physics, and change no count.

        Raises
        ------
        InputError
            None of the neutrinos feels one of them.
        """
        moved = [n for n, v in (given or {}).items() if v != self.model.parameter(n).standard]
        for name in (*names, *moved):
            if not self.felt(name):
                families = " and ".join(f"nu_{f}" for f in self.model.parameter(name).families)
                raise InputError(
                    f"{name} is not constrained: {families} would feel it, and the neutrinos are "
                    f"{', '.join(self.flavours)}",
                    where=f"model {self.model.name}",
                    hint="leave it out, or choose another experiment",
                )

    def parameters(
        self, given: Mapping[str, float] | None = None, free: Sequence[str] = ()
    ) -> dict[str, float]:
        """All parameters but the free ones, those not given at their default.

        Those that no neutrino of the experiment feels are left out, unless they are given.

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
            if parameter.name not in given and not parameter.felt_by(self.flavours):
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

    def profile(
        self,
        poi: str,
        given: Mapping[str, float] | None = None,
        profiled: Sequence[str] | None = None,
        **parameters: float,
    ) -> Profile:
        """Chi2 as a function of one parameter, others profiled; arguments as for `limit`.

        Examples
        --------
        >>> import fastscan
        >>> round(fastscan.likelihood("sm").profile("sin2_theta_w")(0.25), 4)
        7.3407
        """
        given = held(given, parameters)
        self.model.parameter(poi, "--poi")
        if poi in given:
            raise InputError(
                f"{poi} is both the parameter of interest and set",
                where="--poi",
                hint=f"leave out --set {poi}=…",
            )
        names = self.profiled_names(poi, given, profiled)
        return Profile(self.form((poi, *names), given))

    def profile_curve(
        self,
        poi: str,
        given: Mapping[str, float] | None = None,
        *,
        profiled: Sequence[str] | None = None,
        values: ArrayLike | None = None,
    ) -> ProfileCurve:
        """Chi2 at values of one parameter, others profiled, as a result.

        Parameters
        ----------
        poi, given, profiled
            As for `limit`.
        values : (points,), optional
            By default evenly spaced, a little beyond the interval of three standard deviations.

        Raises
        ------
        InputError
            As for `limit`; a value out of range, or no interval that is finite to choose some from.
        """
        names = self.profiled_names(poi, given or {}, profiled)
        profile, parameter = self.profile(poi, given, names), self.model.parameter(poi)
        found = profile.pieces(_WIDE)
        if values is None:
            ends = [end for pair in found.intervals for end in pair]
            if not np.isfinite(ends).all():
                raise InputError(
                    f"chi2 does not bound {poi}", where="values", hint="give values of it"
                )
            room = 0.1 * (ends[-1] - ends[0])
            low, high = max(ends[0] - room, parameter.minimum), ends[-1] + room
            values = np.linspace(low, min(high, parameter.maximum), _POINTS)
        points = np.array([parameter.check(v) for v in np.ravel(np.asarray(values, dtype=float))])
        basins = [profile.basin(float(v)) for v in points]
        return ProfileCurve(
            poi=poi,
            unit=parameter.unit,
            values=points,
            chi2=np.array([profile(float(v)) for v in points]),
            profiled_values={n: np.array([b.profiled[n] for b in basins]) for n in names},
            best_fit=found.best.value,
            chi2_min=found.best.chi2,
            profiled=names,
            parameters=self.parameters(given, (poi, *names)),
            provenance=self.provenance,
            warnings=self.doubts(found.best.chi2, 1 + len(names)),
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
            default = (
                self.model.profiled_by_default if poi in self.model.profiled_by_default else ()
            )
            default = tuple(name for name in default if self.felt(name))
            names = (*default, *(constraint.name for constraint in self.constraints))
            return tuple(n for n in dict.fromkeys(names) if n != poi and n not in given)
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

    def wilks_limit(
        self,
        poi: str,
        given: Mapping[str, float] | None = None,
        *,
        profiled: Sequence[str] | None = None,
        cl: float = 0.90,
        one_sided: bool = False,
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
        one_sided : bool
            Give an upper limit alone: the rise of chi2 from the best fit in the physical range
            (the statistic q~ of arXiv:1007.1727, eq. 16, in large samples), 1.642 at 90 %.

        Raises
        ------
        InputError
            Unknown parameter, a value out of range, or one parameter in two roles.
        """
        rise = delta_chi2(cl, one_sided=one_sided)
        given = dict(given or {})
        names = self.profiled_names(poi, given, profiled)
        found = self.profile(poi, given, names).pieces(rise)
        held = self.parameters(given, (poi, *names))
        intervals, basins = found.intervals, found.basins
        if one_sided:
            # Below the best fit nothing speaks against a smaller value.
            intervals = [(self.model.parameter(poi).minimum, intervals[-1][1])]
            basins = [found.best]
        return Limit(
            poi=poi,
            unit=self.model.parameter(poi).unit,
            cl=cl,
            delta_chi2=rise,
            best_fit=found.best.value,
            chi2_min=found.best.chi2,
            intervals=intervals,
            basins=basins,
            best_basin=found.best,
            profiled=names,
            parameters=held,
            degenerate=found.degenerate,
            one_sided=one_sided,
            provenance=self.provenance,
            doubts=self.doubts(found.best.chi2, 1 + len(names)),
        )
