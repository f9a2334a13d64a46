"""Tables 1 to 3 of C25: limits of other experiments, with ours in its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fastscan.inputs import other_limits, published_results
from fastscan.likelihoods import Limit

__all__ = ["COLUMNS", "TABLES", "LimitTable", "Row", "markdown", "table_rows"]

COLUMNS = ("quantity", "unit", "experiment", "reference", "low", "high")

_OURS = "CONUS+ (this work)"
_PRINTED = "CONUS+ (C25)"


@dataclass(frozen=True)
class LimitTable:
    """One of the tables.

    Attributes
    ----------
    name, model, title : str
        Of its files, of the model whose parameters it limits, above it.
    quantities : dict of str
        Parameters, and their names among the other experiments' limits.
    unit, scale
        Of the numbers: words, and the value of one in the parameters' unit.
    symbols : tuple of str
        Heads of the columns.
    """

    name: str
    model: str
    title: str
    quantities: Mapping[str, str]
    unit: str
    scale: float
    symbols: tuple[str, ...]


TABLES = (
    LimitTable(
        "table1",
        "magnetic-moment",
        "Effective neutrino magnetic moment",
        {"mu_nu": "mu_nu_e"},
        "1e-11 mu_B",
        1e-11,
        ("μ_νe (10⁻¹¹ μ_B)",),
    ),
    LimitTable(
        "table2",
        "millicharge",
        "Neutrino millicharges",
        {name: name for name in ("q_ee", "q_emu", "q_etau")},
        "1e-12 e",
        1e-12,
        ("q_ee (10⁻¹² e)", "q_eμ (10⁻¹² e)", "q_eτ (10⁻¹² e)"),
    ),
    LimitTable(
        "table3",
        "charge-radius",
        "Neutrino charge radii",
        {name: name for name in ("r2_ee", "r2_emu", "r2_etau")},
        "1e-32 cm2",
        1e-32,
        ("⟨r²_ee⟩ (10⁻³² cm²)", "⟨r²_eμ⟩ (10⁻³² cm²)", "⟨r²_eτ⟩ (10⁻³² cm²)"),
    ),
)


@dataclass(frozen=True)
class Row:
    """A limit of one experiment on one quantity; an end that is not printed is None.

    Attributes
    ----------
    quantity, unit, experiment, reference : str
    low, high : float or None
        In ``unit``.
    """

    quantity: str
    unit: str
    experiment: str
    reference: str
    low: float | None
    high: float | None


def table_rows(table: LimitTable, limits: Mapping[str, Limit], experiment: str) -> list[Row]:
    """Our row, C25's own one, then those of the other experiments, for each quantity.

    Parameters
    ----------
    table : LimitTable
    limits : mapping of str to Limit
        Ours, by parameter, at 90 % C.L.
    experiment : str
        Name of the experiment they are from.
    """
    rows = []
    for name, known_as in table.quantities.items():
        for low, high in limits[name].intervals:
            ends = (low / table.scale, high / table.scale)
            rows.append(Row(name, table.unit, _OURS, f"fastscan, {experiment}", *ends))
        for printed in published_results():
            if (printed.paper, printed.quantity, printed.channels) == ("C25", name, "both"):
                assert printed.low is not None
                assert printed.high is not None
                ends = (printed.low / table.scale, printed.high / table.scale)
                rows.append(Row(name, table.unit, _PRINTED, "arXiv:2501.12441", *ends))
        for other in other_limits():
            if other.quantity == known_as:
                # The numbers are of the paper's list of references.
                cited = ", ".join(f"[{number}]" for number in other.reference.split())
                reference = f"{cited} in arXiv:2501.12441"
                rows.append(
                    Row(name, table.unit, other.experiment, reference, other.low, other.high)
                )
    return rows


def markdown(table: LimitTable, rows: Sequence[Row]) -> str:
    """Lay a table out as in the paper: a row for each experiment, a column for each quantity."""
    lines = [
        f"# {table.title}: 90 % C.L. limits",
        "",
        "| experiment | " + " | ".join(table.symbols) + " | reference |",
        "|---|" + "---:|" * len(table.symbols) + "---|",
    ]
    for experiment in dict.fromkeys(row.experiment for row in rows):
        own = [row for row in rows if row.experiment == experiment]
        cells = [
            " ∪ ".join(_words(row) for row in own if row.quantity == name) or "–"
            for name in table.quantities
        ]
        references = ", ".join(dict.fromkeys(row.reference for row in own))
        emphasis = "**" if experiment == _OURS else ""
        cells = [f"{emphasis}{cell}{emphasis}" for cell in (experiment, *cells)]
        lines.append("| " + " | ".join([*cells, references]) + " |")
    return "\n".join(lines) + "\n"


def _words(row: Row) -> str:
    low, high = row.low, row.high
    # Where only one end is given, or the sign does not matter, the table gives an upper limit.
    if high is not None and (low is None or low == 0.0 or abs(low + high) < 1e-9 * abs(high)):
        return f"≤ {_number(high)}"
    return f"[{_number(low)}, {_number(high)}]"


def _number(value: float | None) -> str:
    if value is None:
        return "–"
    # Ours to four digits; printed ones as they are.
    return f"{value:.4g}".replace("-", "−")
