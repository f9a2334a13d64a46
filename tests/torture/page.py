"""Counting outcomes, and the page of results."""

from __future__ import annotations

import platform
from collections import Counter, defaultdict
from importlib import metadata

from torture.attack import Attack, Outcome

_SHOWN = 40


class Tally:
    """Outcomes of one attack."""

    def __init__(self, attack: type[Attack]) -> None:
        self.attack = attack
        self.cases = self.tries = 0
        self.seconds = 0.0
        self.failures: list[tuple[int, Outcome]] = []
        self.groups: dict[tuple[str, ...], Counter[str]] = defaultdict(Counter)

    def add(self, number: int, outcome: Outcome) -> None:
        """Count an outcome."""
        self.cases += 1
        self.tries += outcome.tries
        self.groups[outcome.group]["tries"] += outcome.tries
        self.groups[outcome.group][outcome.verdict] += 1
        if outcome.failure:
            self.groups[outcome.group]["failures"] += 1
            self.failures.append((number, outcome))


def page(tallies: list[Tally], seed: int) -> str:
    """All results as Markdown."""
    lines = [
        "# What `scripts/torture` found",
        "",
        f"Written by the program itself: seed {seed}, fastscan {metadata.version('fastscan')}, "
        f"Python {platform.python_version()}, {platform.system()} on {platform.machine()}. "
        "What each attack does, and what must hold, is at the top of its class in "
        "`tests/torture/`.",
        "",
        "| attack | cases | tries | failures | repeated by |",
        "|---|---:|---:|---:|---|",
    ]
    for tally in tallies:
        lines.append(
            f"| {tally.attack.name} | {tally.cases} | {tally.tries} | {len(tally.failures)} | "
            f"`scripts/torture {tally.attack.name} --seed {seed} --cases {tally.cases}` |"
        )
    for tally in tallies:
        lines += ["", f"## {tally.attack.name}", "", _sentence(tally.attack), ""]
        lines += _matrix(tally) if _is_matrix(tally) else _list(tally)
        lines += _failures(tally, seed)
    return "\n".join(lines) + "\n"


def _sentence(attack: type[Attack]) -> str:
    return " ".join((attack.__doc__ or "").split())


def _is_matrix(tally: Tally) -> bool:
    return any(len(group) == 3 for group in tally.groups)


def _list(tally: Tally) -> list[str]:
    verdicts = sorted({name for found in tally.groups.values() for name in found})
    columns = ["tries", *(name for name in verdicts if name not in ("tries", "failures"))]
    columns.append("failures")
    lines = [f"| | {' | '.join(columns)} |", f"|---|{'---:|' * len(columns)}"]
    for group, found in sorted(tally.groups.items()):
        lines.append(f"| {': '.join(group)} | {' | '.join(str(found[c]) for c in columns)} |")
    return lines


def _matrix(tally: Tally) -> list[str]:
    """A row for each thing attacked, a column for each way."""
    ways = sorted({group[2] for group in tally.groups if len(group) == 3})
    lines = ["Tries (of which harmless) [failures, if any]:", ""]
    lines += [f"| store | file | {' | '.join(ways)} |", f"|---|---|{'---:|' * len(ways)}"]
    for store, file in sorted({group[:2] for group in tally.groups if len(group) == 3}):
        cells = [_cell(tally.groups.get((store, file, way), Counter())) for way in ways]
        lines.append(f"| {store} | {file} | {' | '.join(cells)} |")
    return lines


def _cell(found: Counter[str]) -> str:
    failed = f" [{found['failures']}]" if found["failures"] else ""
    return f"{found['tries']} ({found['harmless']}){failed}"


def _failures(tally: Tally, seed: int) -> list[str]:
    if not tally.failures:
        return []
    lines = ["", f"Failures ({min(_SHOWN, len(tally.failures))} of {len(tally.failures)}):", ""]
    for number, outcome in sorted(tally.failures, key=lambda pair: pair[0])[:_SHOWN]:
        text = " ".join(outcome.failure.split()).replace("`", "'")
        lines.append(f"- `--only {number}`, {': '.join(outcome.group)}: `{text}`")
    return lines
