"""Systematic uncertainties: the normalisation, and named nuisances with their correlations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from fastscan.exceptions import InputError, unknown_name
from fastscan.inputs.bins import bin_of, bin_values
from fastscan.inputs.quantities import Quantity, unusual
from fastscan.inputs.schema import Model, Name, Positive, TableFile, problem
from fastscan.inputs.tables import FloatArray, Table

__all__ = ["ALPHA", "Correlation", "Pull", "Systematics", "check_sigma_alpha"]

# Name of the nuisance that sigma_alpha stands for, and the letter that the papers give it.
ALPHA = "normalisation"
_LETTER = "alpha"
# Of a relative covariance matrix, in units of its largest eigenvalue: below minus the first it is
# not one; below the second an eigenvector is left out. It could change the prediction of no bin by
# more than 1e-5 of what the first one may, for a bin's counts are an average over the flux.
NEGATIVE_EIGENVALUE = 1e-10
NEGLIGIBLE_EIGENVALUE = 1e-10
# Of relative changes.
RELATIVE = Quantity("1", 0.0, 1.0, free=100.0)
# Parts of an experiment whose numbers make up its prediction.
CHANGEABLE = ("reactor", "sources", "target", "ionisation", "detectors")

_KEYS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    # What each kind needs, and what it may have besides.
    "normalisation": (("sigma",), ("channel",)),
    "setting": (("settings",), ()),
    "flux-shape": (("covariance",), ()),
    "efficiency": (("table",), ()),
    "template": (("table",), ()),
}


class Pull(Model):
    """One nuisance parameter, in units of its standard deviation, with a standard normal prior.

    Attributes
    ----------
    name : str
    kind : str
        ``normalisation``: all counts, or those of one channel, change by ``sigma`` times
        themselves; ``setting``: numbers of the experiment move; ``flux-shape``: the flux of each
        antineutrino-energy bin changes, by a covariance matrix; ``efficiency``: the signal of each
        observed bin changes by a factor; ``template``: counts are added to each observed bin, for
        instance of a background.
    sigma : float
        Relative standard deviation of a normalisation.
    channel : {"cevns", "eves"}, optional
        The only channel a normalisation acts on.
    settings : dict
        Change of each number, by dotted key as in `Experiment.with_changes`, for one standard
        deviation: ``{"target.quenching.k": 0.004}``. All of them move together.
    covariance : DataFile
        CSV of a relative covariance matrix: ``low_mev``, ``high_mev``, then one column for each
        row, named like its low edge. Energy bins without a row do not change.
    table : DataFile
        CSV of ``low_ev``, ``high_ev`` and ``relative_sigma`` (efficiency) or ``counts`` (template)
        for one standard deviation; signs matter, the bins move together.
    """

    name: Name
    kind: Literal["normalisation", "setting", "flux-shape", "efficiency", "template"]
    sigma: Annotated[Positive, RELATIVE] = 0.0
    channel: Literal["cevns", "eves"] | None = None
    settings: Annotated[dict[str, float], Field(min_length=1)] = Field(default_factory=dict)
    covariance: TableFile | None = None
    table: TableFile | None = None

    @model_validator(mode="after")
    def _sound(self) -> Self:
        needed, optional = _KEYS[self.kind]
        self._need(f"kind = {self.kind!r}", *needed)
        for key in sorted(self.model_fields_set - {"name", "kind", *needed, *optional}):
            raise problem(
                f"key {key!r} has no meaning for kind = {self.kind!r}",
                f"leave it out; such a pull takes {', '.join((*needed, *optional))}",
            )
        for key, change in self.settings.items():
            part = key.partition(".")[0]
            if part not in CHANGEABLE:
                error = unknown_name("setting", key, CHANGEABLE)
                raise problem(error.what, f"it has to start with one of {', '.join(CHANGEABLE)}")
            if change == 0.0:
                raise problem(f"the change of {key} is 0", "give one standard deviation")
        fractions = [
            change for key, change in self.settings.items() if ".fission_fractions." in key
        ]
        if abs(sum(fractions)) > 1e-9:
            raise problem(
                f"changes of fission fractions add up to {sum(fractions):.6g} instead of 0",
                "change one isotope up and another down",
            )
        return self

    def flux_shapes(self, energy_bin_edges_mev: FloatArray) -> FloatArray:
        """Independent changes of the flux, one standard deviation each, relative.

        The eigenvectors of the covariance matrix, each times the root of its eigenvalue; those
        below 1e-10 of the largest eigenvalue are left out.

        Parameters
        ----------
        energy_bin_edges_mev : (energy bins + 1,)

        Returns
        -------
        (shapes, energy bins)
            The largest first.

        Raises
        ------
        InputError
            Rows that are not energy bins of the experiment, columns that do not match the rows, or
            a matrix that is no covariance matrix.
        """
        rows, matrix = self._covariance()
        which = [
            bin_of(energy_bin_edges_mev, rows, i, "low_mev", "high_mev", "an energy bin")
            for i in range(rows["low_mev"].size)
        ]
        variance = np.diag(matrix)
        rows.require(variance >= 0.0, "a variance is negative", "correct the diagonal")
        largest = float(np.abs(matrix).max())
        even = (np.abs(matrix - matrix.T) <= 1e-9 * largest).all(axis=1)
        rows.require(np.asarray(even), "covariance is not symmetric", "make it its transpose")
        if largest == 0.0:
            raise InputError("covariance is 0 throughout", where=rows.label, hint="leave it out")
        values, vectors = np.linalg.eigh(0.5 * (matrix + matrix.T))
        if values[0] < -NEGATIVE_EIGENVALUE * values[-1]:
            raise InputError(
                f"covariance is not positive: an eigenvalue is {values[0]:.3g}",
                where=rows.label,
                hint="a correlation is too large; more digits help if it was rounded",
            )
        kept = np.flatnonzero(values > NEGLIGIBLE_EIGENVALUE * values[-1])[::-1]
        shapes = np.zeros((kept.size, energy_bin_edges_mev.size - 1))
        # The sign of an eigenvector is a matter of the library; the largest entry decides here.
        own = vectors[:, kept].T
        own = own * np.sign(own[np.arange(kept.size), np.abs(own).argmax(axis=1)])[:, None]
        shapes[:, which] = np.sqrt(values[kept])[:, None] * own
        return shapes

    def _covariance(self) -> tuple[Table, FloatArray]:
        """Energy bins of the rows, and the matrix."""
        assert self.covariance is not None
        rows = self.covariance.table(("low_mev", "high_mev"))
        rows.require_increasing("low_mev")
        names = tuple(f"{low:g}" for low in rows["low_mev"])
        columns = self.covariance.table(names)
        return rows, np.stack([columns[name] for name in names], axis=1)

    def unusual_values(self, key: str) -> Iterator[tuple[str, InputError]]:
        """As the function of that name, for a table of relative changes in per cent.

        Parameters
        ----------
        key : str
            Dotted path of this pull.
        """
        if self.kind == "efficiency":
            assert self.table is not None
            largest = float(np.abs(self.table.table(("relative_sigma",))["relative_sigma"]).max())
            path, file = f"{key}.table", self.table
        elif self.kind == "flux-shape":
            assert self.covariance is not None
            largest = float(np.sqrt(np.abs(np.diag(self._covariance()[1])).max()))
            path, file = f"{key}.covariance", self.covariance
        else:
            return
        if not RELATIVE.usual(largest):
            yield path, unusual(path, RELATIVE, largest, str(file.path))

    def bin_changes(self, edges_ev: FloatArray) -> FloatArray:
        """Change of each observed bin for one standard deviation, shape (bins,).

        Raises
        ------
        InputError
            An observed bin without a row, a row that is none of the bins, or zeros throughout.
        """
        assert self.table is not None
        column = "counts" if self.kind == "template" else "relative_sigma"
        changes = bin_values(self.table, column, edges_ev)
        if not changes.any():
            where = self.table.table((column,)).label
            raise InputError(f"{column} is 0 throughout", where=where, hint="leave it out")
        return changes


def check_sigma_alpha(value: float, insisted: Collection[str]) -> None:
    """Check a normalisation that is given in place of the experiment's nuisances.

    Parameters
    ----------
    value : float
    insisted : collection of str
        `Experiment.unusual`: where it lists ``systematics.sigma_alpha``, large ones are meant.

    Raises
    ------
    InputError
        Not positive, or most likely in per cent.
    """
    if not (np.isfinite(value) and value > 0.0):
        raise InputError(
            f"sigma_alpha = {value} is not a positive number",
            where="--sigma-alpha",
            hint="write 20 % as 0.20",
        )
    if not RELATIVE.usual(value) and "systematics.sigma_alpha" not in insisted:
        error = unusual("systematics.sigma_alpha", RELATIVE, value)
        raise InputError(error.what, where="--sigma-alpha", hint=error.hint)


class Correlation(Model):
    """Correlation coefficient of two pulls."""

    names: Annotated[tuple[str, ...], Field(min_length=2, max_length=2, strict=False)]
    rho: Annotated[float, Field(gt=-1, lt=1, allow_inf_nan=False)]

    @model_validator(mode="after")
    def _two(self) -> Self:
        if self.names[0] == self.names[1]:
            raise problem(
                f"{self.names[0]!r} is correlated with itself", "name two different pulls"
            )
        return self


class Systematics(Model):
    """Uncertainties of the prediction: at least a normalisation or one pull.

    Attributes
    ----------
    sigma_alpha : float, optional
        Relative standard deviation of the normalisation of everything, a pull called
        ``normalisation``.
    pulls : tuple of Pull
    correlations : tuple of Correlation
        Pairs that are not named are uncorrelated.
    """

    sigma_alpha: Annotated[Positive | None, RELATIVE] = None
    pulls: Annotated[tuple[Pull, ...], Field(strict=False)] = ()
    correlations: Annotated[tuple[Correlation, ...], Field(strict=False)] = ()

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if self.sigma_alpha is None and not self.pulls:
            raise problem("missing key 'sigma_alpha'", "give it, or at least one pull, or both")
        name, count = Counter(self.names).most_common(1)[0]
        if count > 1:
            raise problem(
                f"{count} nuisances are called {name!r}",
                f"give each its own name; {ALPHA!r} is that of sigma_alpha",
            )
        if self.sigma_alpha is not None and _LETTER in self.names:
            raise problem(
                f"a pull is called {_LETTER!r} beside sigma_alpha",
                f"rename it, or leave sigma_alpha out; the nuisance of that is {ALPHA!r}",
            )
        pairs: set[frozenset[str]] = set()
        several = {pull.name for pull in self.pulls if pull.kind == "flux-shape"}
        for correlation in self.correlations:
            for name in correlation.names:
                if name not in self.names:
                    error = unknown_name("pull", name, self.names)
                    raise problem(error.what, error.hint)
                if name in several:
                    raise problem(
                        f"{name!r} is a flux-shape, which is many nuisances at once",
                        "its correlations are those in its covariance",
                    )
            pair = frozenset(correlation.names)
            if pair in pairs:
                raise problem(
                    f"the correlation of {' and '.join(correlation.names)} is given twice",
                    "leave one out",
                )
            pairs.add(pair)
        smallest = float(np.linalg.eigvalsh(self.correlation)[0])
        if smallest < 1e-9:
            raise problem(
                f"the correlations are not those of a covariance matrix that can be inverted: its "
                f"smallest eigenvalue is {smallest:.3g}",
                "lower some of the coefficients",
            )
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """Of all nuisances: ``normalisation`` where there is a sigma_alpha, then the pulls."""
        alpha = () if self.sigma_alpha is None else (ALPHA,)
        return alpha + tuple(pull.name for pull in self.pulls)

    @property
    def correlation(self) -> FloatArray:
        """Correlation matrix in the order of `names`, shape (names, names)."""
        matrix = np.eye(len(self.names))
        for correlation in self.correlations:
            i, j = (self.names.index(name) for name in correlation.names)
            matrix[i, j] = matrix[j, i] = correlation.rho
        return matrix
