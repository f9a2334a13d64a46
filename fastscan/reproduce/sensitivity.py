"""How much each limit hangs on each assumption: one is changed at a time."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from fastscan.inputs import Experiment
from fastscan.likelihoods import Limit
from fastscan.reproduce.cache import remembered
from fastscan.reproduce.causes import ONE_SIGMA
from fastscan.reproduce.comparison import signed
from fastscan.reproduce.output import Progress
from fastscan.reproduce.readings import Analyses
from fastscan.storage.outputs import write_text
from fastscan.storage.paths import local_path
from fastscan.storage.replacement import check_free

__all__ = [
    "QUANTITIES",
    "VARIANTS",
    "Quantity",
    "Sensitivity",
    "Variant",
    "run_sensitivity",
    "sensitivities",
    "sensitivity_csv",
    "sensitivity_markdown",
]

EXPERIMENT = "conus-plus"
CONFIDENCE_LEVEL = 0.90


@dataclass(frozen=True)
class Quantity:
    """A number that the assumptions may change.

    Attributes
    ----------
    title : str
        Head of its column.
    model, channels, poi, given
        Of the limit that it is taken from.
    bound : str
        ``best_fit``, ``length`` of the one-sigma interval, or ``low`` or ``high`` at 90 % C.L.
    """

    title: str
    model: str
    channels: str
    poi: str
    bound: str
    given: Mapping[str, float] = field(default_factory=dict)

    @property
    def cl(self) -> float:
        """Confidence level of the limit."""
        return ONE_SIGMA if self.model == "sm" else CONFIDENCE_LEVEL

    def of(self, limit: Limit) -> float:
        """The number; with several intervals, the outermost bound."""
        low, high = limit.intervals[0][0], limit.intervals[-1][1]
        numbers = {"best_fit": limit.best_fit, "length": high - low, "low": low, "high": high}
        return numbers[self.bound]


@dataclass(frozen=True)
class Variant:
    """One assumption changed.

    Attributes
    ----------
    assumption, setting : str
        What is changed, and to what.
    changes : mapping
        For `Experiment.with_changes`.
    model, options : str, mapping
        Options of one model; the other models do not have them. No model: all are affected.
    source : str
        Where the changed value comes from, if from the literature.
    """

    assumption: str
    setting: str
    changes: Mapping[str, object] = field(default_factory=dict)
    model: str = ""
    options: Mapping[str, object] = field(default_factory=dict)
    source: str = ""

    def concerns(self, quantity: Quantity) -> bool:
        """Whether the quantity can change at all."""
        return self.model in ("", quantity.model)


@dataclass(frozen=True)
class Sensitivity:
    """A quantity under a variant.

    Attributes
    ----------
    variant : Variant
    quantity : Quantity
    unit : str
    reference, value : float
        With no assumption changed, and with this one; infinite where there is no limit.
    """

    variant: Variant
    quantity: Quantity
    unit: str
    reference: float
    value: float

    @property
    def change_per_cent(self) -> float:
        """Of the value, relative to the reference."""
        return 100.0 * (self.value / self.reference - 1.0)


def _mediator(model: str, symbol: str) -> list[Quantity]:
    return [
        Quantity(f"{symbol} at {mass:g} MeV", model, "both", "g", "high", {"mass_mev": mass})
        for mass in (0.01, 1.0, 100.0)
    ]


QUANTITIES: tuple[Quantity, ...] = (
    Quantity("sin2_theta_w", "sm", "both", "sin2_theta_w", "best_fit"),
    Quantity("sin2_theta_w, 1 sigma length", "sm", "both", "sin2_theta_w", "length"),
    Quantity("mu_nu <", "magnetic-moment", "both", "mu_nu", "high"),
    Quantity("mu_nu <, CEvNS", "magnetic-moment", "cevns", "mu_nu", "high"),
    Quantity("q_ee >", "millicharge", "both", "q_ee", "low"),
    Quantity("q_ee <", "millicharge", "both", "q_ee", "high"),
    Quantity("q_emu <", "millicharge", "both", "q_emu", "high"),
    Quantity("r2_ee >", "charge-radius", "both", "r2_ee", "low"),
    Quantity("r2_ee <", "charge-radius", "both", "r2_ee", "high"),
    Quantity("r2_emu <", "charge-radius", "both", "r2_emu", "high"),
    *_mediator("vector", "g_B-L <"),
    *_mediator("scalar", "g_phi <"),
)

_NOISE_EV = 20.38
_A25 = "arXiv:2501.10355"
_PDG = "PDG 2022: m_u = 2.16 +0.49 -0.26, m_d = 4.67 +0.48 -0.17 MeV"

VARIANTS: tuple[Variant, ...] = (
    Variant("resolution", "none", {"ionisation.resolution": "none"}),
    Variant("resolution", "noise -10 %", {"ionisation.electronic_noise_ev": 0.9 * _NOISE_EV}),
    Variant("resolution", "noise +10 %", {"ionisation.electronic_noise_ev": 1.1 * _NOISE_EV}),
    Variant("quenching", "k = 0.158", {"target.quenching.k": 0.158}, source=_A25),
    Variant("quenching", "k = 0.166", {"target.quenching.k": 0.166}, source=_A25),
    Variant("flux", "captures on top", {"reactor.normalisation": "fission-flux"}),
    Variant("flux", "from thermal power", {"reactor.normalisation": "thermal-power"}),
    Variant("captures on 238U", "none", {"reactor.captures_per_fission": 0.0}),
    *(
        Variant("E_max", f"{energy:g} MeV", {"reactor.energy_max_mev": energy})
        for energy in (8.0, 9.0, 11.0, 12.0)
    ),
    Variant(
        "spectrum below 2 MeV", "extrapolated", {"reactor.low_energy_spectrum": "extrapolated"}
    ),
    Variant(
        "spectrum above 2 MeV",
        "Vogel-Engel",
        {"reactor.high_energy_spectrum": "vogel-engel"},
        source="Vogel and Engel 1989",
    ),
    Variant("electron binding", "32 free electrons", {"target.electron_binding": "free"}),
    Variant("sigma_alpha", "0.10", {"systematics.sigma_alpha": 0.10}),
    Variant(
        "sigma_alpha",
        "0.17",
        {"systematics.sigma_alpha": 0.17},
        source="347 +- 59 expected, arXiv:2501.05206",
    ),
    Variant("sigma_alpha", "0.30", {"systematics.sigma_alpha": 0.30}),
    Variant("bins", "from 180 eV", {"observation.start_ev": 180.0}),
    Variant("bins", "up to 250 eV", {"observation.stop_ev": 250.0}),
    Variant(
        "magnetic moment",
        "with T/4E^2",
        model="magnetic-moment",
        options={"quadratic_term": True},
        source=_A25,
    ),
    *(
        Variant("vector charges", charges, model="vector", options={"charges": charges})
        for charges in ("b-3l_e", "l_e-l_mu", "universal", "dark-photon")
    ),
    *(
        Variant(
            "quark masses",
            f"m_{quark[0]} = {mass:g} MeV",
            model="scalar",
            options={f"{quark}_mass_mev": mass},
            source=_PDG,
        )
        for quark, mass in (("up", 1.90), ("up", 2.65), ("down", 4.50), ("down", 5.15))
    ),
)


def run_sensitivity(
    out: str | Path,
    *,
    tables: str | Path | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> list[Path]:
    """Write ``sensitivity.csv`` and ``sensitivity.md``.

    Parameters
    ----------
    out : path
        Folder that is there.
    tables : path, optional
        Folder of the tensor stores, which are built on first use.
    overwrite : bool
        Replace what is there.
    progress : callable, optional
        Called with what is under way and the fraction done.

    Returns
    -------
    list of pathlib.Path
        The two files.

    Raises
    ------
    StoreError
        A file is there and may not be replaced.
    InputError
        The folder can not be written.
    """
    paths = [local_path(out) / "sensitivity.csv", local_path(out) / "sensitivity.md"]
    for path in paths:
        check_free(path, overwrite=overwrite)

    def find() -> list[Any]:
        rows = sensitivities(
            Analyses(tables), variants=VARIANTS, quantities=QUANTITIES, progress=progress
        )
        return [[row.unit, row.reference, row.value] for row in rows]

    request = {
        "table": "sensitivity",
        "variants": [asdict(variant) for variant in VARIANTS],
        "quantities": [asdict(quantity) for quantity in QUANTITIES],
    }
    cases = [(v, q) for v in VARIANTS for q in QUANTITIES if v.concerns(q)]
    found = [
        Sensitivity(*case, *row)
        for case, row in zip(cases, remembered(request, tables, find), strict=True)
    ]
    write_text(paths[0], sensitivity_csv(found), overwrite=overwrite)
    write_text(paths[1], sensitivity_markdown(found), overwrite=overwrite)
    return paths


def sensitivities(
    analyses: Analyses,
    *,
    variants: Sequence[Variant] = VARIANTS,
    quantities: Sequence[Quantity] = QUANTITIES,
    progress: Progress | None = None,
) -> list[Sensitivity]:
    """Find every quantity under every variant that concerns its model.

    Parameters
    ----------
    analyses : Analyses
    variants, quantities : sequences
    progress : callable, optional
        Called with the variant under way and the fraction done.

    Returns
    -------
    list of Sensitivity
        Variant by variant.

    Raises
    ------
    InputError
        A variant changes a setting that is not there, or to a value that is not possible.
    """
    experiment = analyses.experiment(EXPERIMENT)
    reference = _values(analyses, experiment, quantities, {})
    found = []
    for i, variant in enumerate(variants):
        if progress is not None:
            progress(f"{variant.assumption}: {variant.setting}", (i + 1) / (len(variants) + 1))
        concerned = [quantity for quantity in quantities if variant.concerns(quantity)]
        changed = experiment.with_changes(variant.changes)
        values = _values(analyses, changed, concerned, variant.options)
        for quantity in concerned:
            value, unit = values[quantity.title]
            found.append(Sensitivity(variant, quantity, unit, reference[quantity.title][0], value))
    if progress is not None:
        progress("done", 1.0)
    return found


def _values(
    analyses: Analyses,
    experiment: Experiment,
    quantities: Sequence[Quantity],
    options: Mapping[str, object],
) -> dict[str, tuple[float, str]]:
    """Value and unit of each quantity, by title; a limit that gives several is made once."""
    limits: dict[tuple[object, ...], Limit] = {}
    values = {}
    for quantity in quantities:
        key = (quantity.model, quantity.channels, quantity.poi, *quantity.given.items())
        if key not in limits:
            likelihood = analyses.likelihood(
                quantity.model, experiment, channels=quantity.channels, options=options
            )
            limits[key] = likelihood.limit(quantity.poi, quantity.given, cl=quantity.cl)
        values[quantity.title] = quantity.of(limits[key]), limits[key].unit
    return values


def sensitivity_csv(found: Iterable[Sensitivity]) -> str:
    """All changes as CSV, one in a row."""
    from fastscan import __version__

    text = io.StringIO()
    text.write(f"# what one changed assumption does to the limits of {EXPERIMENT}\n")
    text.write("# change_per_cent: value / reference - 1; no limit is inf\n")
    text.write(f"# fastscan_version: {__version__}\n")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        (
            "assumption",
            "setting",
            "source",
            "model",
            "parameter",
            "channels",
            "mass_mev",
            "bound",
            "cl",
            "unit",
            "reference",
            "value",
            "change_per_cent",
        )
    )
    for one in found:
        variant, quantity = one.variant, one.quantity
        writer.writerow(
            (
                variant.assumption,
                variant.setting,
                variant.source,
                quantity.model,
                quantity.poi,
                quantity.channels,
                quantity.given.get("mass_mev", ""),
                quantity.bound,
                f"{quantity.cl:.4g}",
                one.unit,
                f"{one.reference:.7g}",
                f"{one.value:.7g}",
                f"{one.change_per_cent:.5g}",
            )
        )
    return text.getvalue()


def sensitivity_markdown(found: Sequence[Sensitivity]) -> str:
    """One table: a row for each variant, a column for each quantity."""
    quantities = list({one.quantity.title: one for one in found}.values())
    lines = [
        "# What one changed assumption does to the limits",
        "",
        f"Experiment `{EXPERIMENT}`, CEvNS + EvES unless said otherwise, 90 % C.L. unless said "
        "otherwise. Changes in per cent; a bound that grows in size is a weaker limit. Empty where "
        "the assumption does not concern the model.",
        "",
        _line(["assumption", "setting", *(one.quantity.title for one in quantities)]),
        _line(["---", "---", *("---:" for _ in quantities)]),
        _line(["unchanged", "", *(f"{one.reference:.4g}" for one in quantities)]),
    ]
    for variant in dict.fromkeys((one.variant.assumption, one.variant.setting) for one in found):
        own = {
            one.quantity.title: one
            for one in found
            if (one.variant.assumption, one.variant.setting) == variant
        }
        cells = [_change(own.get(one.quantity.title)) for one in quantities]
        lines.append(_line([*variant, *cells]))
    sources = {
        f"{one.variant.assumption}, {one.variant.setting}": one.variant.source
        for one in found
        if one.variant.source
    }
    lines += ["", "Sources of the settings:", ""]
    lines += [f"- {setting}: {source}" for setting, source in sources.items()]
    return "\n".join([*lines, ""])


def _change(one: Sensitivity | None) -> str:
    if one is None:
        return ""
    return signed(one.change_per_cent) if math.isfinite(one.value) else "no limit"


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
