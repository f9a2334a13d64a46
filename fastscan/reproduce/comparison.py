"""Every number that C25 and A25 print beside ours, the difference, and what it comes from."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fastscan.inputs import PublishedResult, published_results
from fastscan.likelihoods import Likelihood, Limit
from fastscan.reproduce.cache import remembered
from fastscan.reproduce.causes import (
    ONE_SIGMA,
    C25Causes,
    error_definitions,
    expectation_definitions,
    magnetic_moment_definitions,
)
from fastscan.reproduce.output import Progress
from fastscan.reproduce.readings import (
    PAPERS,
    READINGS,
    Analyses,
    check_papers,
    load_reading,
    readings_of,
)
from fastscan.storage.outputs import write_text
from fastscan.storage.paths import local_path
from fastscan.storage.replacement import check_free
from fastscan.tensors import store_path

__all__ = ["ComparedNumber", "compare", "comparison_csv", "comparison_markdown", "run_comparison"]

_CHANNELS = {"both": "CEvNS + EvES", "cevns": "CEvNS", "eves": "EvES"}
_A25_READING = "conus-plus-a25"


@dataclass(frozen=True)
class ComparedNumber:
    """One printed number and ours.

    Attributes
    ----------
    paper : str
        Key of `fastscan.reproduce.readings.PAPERS`.
    quantity, channels, unit : str
        As in ``published_results.csv``.
    cl : float or None
        Confidence level in per cent, where there is one.
    number : str
        ``best_fit``, ``low``, ``high``, ``error`` or ``value``.
    printed, ours : float
    reading : str
        Name of the reading.
    definition : str
        How ours is defined.
    delta_chi2_at_printed : float
        Our chi2 at the printed value above its minimum; NaN where there is no such thing.
    cause : str
        One line on the difference, with the numbers that support it.
    """

    paper: str
    quantity: str
    channels: str
    cl: float | None
    unit: str
    number: str
    printed: float
    reading: str
    definition: str
    ours: float
    delta_chi2_at_printed: float
    cause: str

    @property
    def difference_per_cent(self) -> float:
        """Ours relative to the printed number; positive means larger in size."""
        return 100.0 * (self.ours / self.printed - 1.0)


def run_comparison(
    out: str | Path,
    *,
    papers: Sequence[str] = tuple(PAPERS),
    tables: str | Path | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> list[Path]:
    """Write ``comparison.csv`` and ``comparison.md``.

    Parameters
    ----------
    out : path
        Folder that is there.
    papers : sequence of str
        Keys of `fastscan.reproduce.readings.PAPERS`.
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
        Unknown paper, or the folder can not be written.
    """
    check_papers(papers)
    paths = [local_path(out) / "comparison.csv", local_path(out) / "comparison.md"]
    for path in paths:
        check_free(path, overwrite=overwrite)

    def find() -> list[Any]:
        return [asdict(row) for row in compare(papers, Analyses(tables), progress)]

    found = remembered({"table": "comparison", "papers": list(papers)}, tables, find)
    rows = [ComparedNumber(**row) for row in found]
    names = dict.fromkeys(row.reading for row in rows)
    tensors = {name: store_path(load_reading(name)).stem for name in names}
    write_text(paths[0], comparison_csv(rows, tensors), overwrite=overwrite)
    write_text(paths[1], comparison_markdown(rows), overwrite=overwrite)
    return paths


def compare(
    papers: Sequence[str], analyses: Analyses, progress: Progress | None = None
) -> list[ComparedNumber]:
    """Compare every printed number of some papers with ours, under each reading.

    Parameters
    ----------
    papers : sequence of str
        Keys of `fastscan.reproduce.readings.PAPERS`.
    analyses : Analyses
    progress : callable, optional
        Called with the quantity under way and the fraction done.
    """
    results = [result for result in published_results() if result.paper.lower() in papers]
    causes = C25Causes(analyses)
    rows: list[ComparedNumber] = []
    for i, result in enumerate(results):
        if progress is not None:
            progress(f"{result.paper} {result.quantity}", i / len(results))
        if result.paper == "C25":
            rows += _c25_rows(result, analyses, causes)
        else:
            rows += _a25_rows(result, analyses)
    if progress is not None:
        progress("done", 1.0)
    return rows


def _c25_rows(
    result: PublishedResult, analyses: Analyses, causes: C25Causes
) -> list[ComparedNumber]:
    numbers = printed_numbers(result)
    lines = {number: causes.line(result, number) for number in numbers}
    rows = []
    for reading in readings_of("c25"):
        limit = analyses.limit(reading.name, result.quantity, result.channels, level(result))
        likelihood = analyses.of(reading.name, result.quantity, result.channels)
        for number, printed in numbers.items():
            rows.append(
                _row(
                    result,
                    number,
                    printed,
                    reading.name,
                    f"delta chi2 = {limit.delta_chi2:.4g}" if number != "best_fit" else "minimum",
                    our_number(limit, number),
                    lines[number],
                    _rise(likelihood, limit, printed),
                )
            )
    return rows


def _a25_rows(result: PublishedResult, analyses: Analyses) -> list[ComparedNumber]:
    if result.quantity == "expected_events":
        assert result.best_fit is not None
        return [
            _row(result, "value", result.best_fit, _A25_READING, words, ours, cause)
            for words, ours, cause in expectation_definitions(analyses)
        ]
    limit = analyses.limit(_A25_READING, result.quantity, result.channels, level(result))
    likelihood = analyses.of(_A25_READING, result.quantity, result.channels)
    if result.quantity == "mu_nu":
        assert result.high is not None
        rise = _rise(likelihood, limit, result.high)
        return [
            _row(result, "high", result.high, _A25_READING, words, ours, cause, rise)
            for words, ours, cause in magnetic_moment_definitions(analyses, result.high)
        ]
    assert result.best_fit is not None
    assert result.low is not None
    assert result.high is not None
    (low, high), best = limit.intervals[0], limit.best_fit
    skewed = f"the interval is {low - best:+.4f} {high - best:+.4f}: a larger signal carries a "
    skewed += "larger normalisation error; the printed one is best fit and symmetric error"
    rows = [
        _row(
            result,
            number,
            printed,
            _A25_READING,
            "minimum" if number == "best_fit" else "delta chi2 = 1",
            our_number(limit, number),
            "where the expectation meets the 395 events, whatever the spectrum"
            if number == "best_fit"
            else skewed,
            _rise(likelihood, limit, printed),
        )
        for number, printed in printed_numbers(result).items()
    ]
    # Printed as best fit +- error.
    error = 0.5 * (result.high - result.low)
    rows += [
        _row(result, "error", error, _A25_READING, words, ours, cause)
        for words, ours, cause in error_definitions(likelihood, limit)
    ]
    return rows


def level(result: PublishedResult) -> float:
    """Confidence level of a result; the 68 % of the papers is one sigma."""
    assert result.cl is not None
    return ONE_SIGMA if result.cl == 68.0 else result.cl / 100.0


def printed_numbers(result: PublishedResult) -> dict[str, float]:
    """What is to be compared: no bound of zero, and a symmetric interval once."""
    numbers = {"best_fit": result.best_fit, "low": result.low, "high": result.high}
    if result.low == 0.0 or (result.high is not None and result.low == -result.high):
        del numbers["low"]
    return {number: value for number, value in numbers.items() if value is not None}


def our_number(limit: Limit, number: str) -> float:
    """The number of that name; with several intervals the outermost bound."""
    outer = {"low": limit.intervals[0][0], "high": limit.intervals[-1][1]}
    return limit.best_fit if number == "best_fit" else outer[number]


def _rise(likelihood: Likelihood, limit: Limit, printed: float) -> float:
    return likelihood.profile(limit.poi)(printed) - limit.chi2_min


def _row(
    result: PublishedResult,
    number: str,
    printed: float,
    reading: str,
    definition: str,
    ours: float,
    cause: str,
    rise: float = math.nan,
) -> ComparedNumber:
    return ComparedNumber(
        paper=result.paper.lower(),
        quantity=result.quantity,
        channels=result.channels,
        cl=result.cl,
        unit=result.unit,
        number=number,
        printed=printed,
        reading=reading,
        definition=definition,
        ours=ours,
        delta_chi2_at_printed=rise,
        cause=cause,
    )


def comparison_csv(rows: Iterable[ComparedNumber], tensors: Mapping[str, str]) -> str:
    """All rows as CSV, headed by the sha256 of each reading's tensors."""
    from fastscan import __version__

    text = io.StringIO()
    text.write(f"# printed numbers of C25 ({PAPERS['c25']}) and A25 ({PAPERS['a25']}), and ours\n")
    text.write("# difference_per_cent: ours / printed - 1\n")
    text.write(f"# fastscan_version: {__version__}\n")
    for name, sha256 in tensors.items():
        text.write(f"# tensors_sha256 of {name}: {sha256}\n")
    writer = csv.writer(text, lineterminator="\n")
    columns = (
        "paper",
        "quantity",
        "channels",
        "cl",
        "number",
        "unit",
        "printed",
        "reading",
        "definition",
        "ours",
        "difference_per_cent",
        "delta_chi2_at_printed",
        "cause",
    )
    writer.writerow(columns)
    for row in rows:
        writer.writerow(_cell(getattr(row, column)) for column in columns)
    return text.getvalue()


def _cell(value: object) -> object:
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.7g}"
    return "" if value is None else value


def comparison_markdown(rows: Sequence[ComparedNumber]) -> str:
    """All rows as Markdown, a table for each paper; the readings of C25 side by side."""
    parts = ["# Published and ours", ""]
    parts += [
        "Ours is followed by its difference from the printed number in per cent. No input was "
        "tuned to a printed number.",
        "",
    ]
    for paper, source in PAPERS.items():
        own = [row for row in rows if row.paper == paper]
        if own:
            parts += [f"## {paper.upper()} ({source})", ""]
            parts += _c25_table(own) if paper == "c25" else _a25_table(own)
            parts.append("")
    return "\n".join(parts)


def _c25_table(rows: Sequence[ComparedNumber]) -> list[str]:
    names = list(dict.fromkeys(row.reading for row in rows))
    title = {reading.name: reading.title for reading in READINGS}
    lines = [f"- `{name}`: {title[name]}" for name in names]
    heads = ["quantity", "channels", "printed", *names, "cause"]
    lines += ["", _line(heads), _rule(len(heads))]
    keys = dict.fromkeys((row.quantity, row.channels, row.number) for row in rows)
    for key in keys:
        same = [row for row in rows if (row.quantity, row.channels, row.number) == key]
        first = same[0]
        cells = [_quantity(first), _CHANNELS[first.channels], f"{first.printed:.4g}"]
        cells += [_ours(row) for row in same]
        lines.append(_line([*cells, first.cause]))
    return lines


def _a25_table(rows: Sequence[ComparedNumber]) -> list[str]:
    title = {reading.name: reading.title for reading in READINGS}
    lines = [f"- `{name}`: {title[name]}" for name in dict.fromkeys(row.reading for row in rows)]
    heads = ["quantity", "channels", "definition", "printed", "ours", "cause"]
    lines += ["", _line(heads), _rule(len(heads))]
    for row in rows:
        cells = [_quantity(row), _CHANNELS[row.channels], row.definition, f"{row.printed:.4g}"]
        lines.append(_line([*cells, _ours(row), row.cause]))
    return lines


def _quantity(row: ComparedNumber) -> str:
    words = {"best_fit": "best fit", "low": "lower bound", "high": "upper bound"}
    level_words = f", {row.cl:g} %" if row.cl is not None and row.number != "best_fit" else ""
    unit = f" [{row.unit}]" if row.unit != "1" else ""
    return f"`{row.quantity}` {words.get(row.number, row.number)}{level_words}{unit}"


def _ours(row: ComparedNumber) -> str:
    if not math.isfinite(row.ours):
        return "no limit"
    return f"{row.ours:.4g} ({signed(row.difference_per_cent)})"


def signed(per_cent: float) -> str:
    """A difference in per cent to one decimal, zero without a sign."""
    text = f"{per_cent:+.1f}"
    return "0.0" if text in ("+0.0", "-0.0") else text


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _rule(columns: int) -> str:
    return _line(["---"] * columns)
