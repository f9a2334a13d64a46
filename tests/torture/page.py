"""Counting outcomes, and the page of results."""

from __future__ import annotations

import platform
import subprocess
from collections import Counter, defaultdict
from importlib import metadata
from pathlib import Path

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


def page(tallies: list[Tally], seed: int, earlier: str = "") -> str:
    """All results as Markdown; of an earlier page, what it says of other attacks is kept."""
    rows, sections = _rows_and_sections(earlier)
    for tally in tallies:
        name = tally.attack.name
        rows[name] = (
            f"| {name} | {tally.cases} | {tally.tries} | {len(tally.failures)} | {_commit()} | "
            f"`scripts/torture {name} --seed {seed} --cases {tally.cases}` |"
        )
        body = _matrix(tally) if _is_matrix(tally) else _list(tally)
        lines = [f"## {name}", "", _sentence(tally.attack), "", *body, *_failures(tally)]
        sections[name] = "\n".join(lines) + "\n"
    head = (
        "# What `scripts/torture` found\n\n"
        f"Written by the program itself: fastscan {metadata.version('fastscan')}, Python "
        f"{platform.python_version()}, {platform.system()} on {platform.machine()}. What each "
        "attack does, and what must hold, is at the top of its class in `tests/torture/`; a case "
        "is one store, file or command, a try one thing that is done to it.\n\n"
        "| attack | cases | tries | failures | at commit | repeated by |\n"
        "|---|---:|---:|---:|---|---|\n"
    )
    return "\n".join([head + "\n".join(rows.values()) + "\n", *sections.values()])


def _commit() -> str:
    """The state of the checkout that was attacked; rows of other attacks keep theirs."""
    words = ("git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty")
    try:
        found = subprocess.run(words, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "no checkout"
    return found.stdout.strip()


def _rows_and_sections(text: str) -> tuple[dict[str, str], dict[str, str]]:
    """The rows of the first table of a page and its sections, by the names of attacks."""
    head, *parts = text.split("\n## ")
    rows = [line for line in head.splitlines() if line.startswith("|") and "`" in line]
    sections = {part.partition("\n")[0]: f"## {part.rstrip()}\n" for part in parts}
    return {row.split("|")[1].strip(): row for row in rows}, sections


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


def _failures(tally: Tally) -> list[str]:
    if not tally.failures:
        return []
    lines = ["", f"Failures ({min(_SHOWN, len(tally.failures))} of {len(tally.failures)}):", ""]
    for number, outcome in sorted(tally.failures, key=lambda pair: pair[0])[:_SHOWN]:
        text = " ".join(outcome.failure.split()).replace("`", "'")
        lines.append(f"- `--only {number}`, {': '.join(outcome.group)}: `{text}`")
    return lines
