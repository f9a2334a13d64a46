"""Two processes that write the same files at once."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from torture.attack import Attack, Outcome, difference, misspoken, pick, tree
from torture.workshop import COMMANDS, LIMIT_S, Command, Workshop

# The same name for another scan; and the same scan, by one who is ready to continue.
_SCAN = next(command for command in COMMANDS if command.name == "scan")
_OTHER = replace(_SCAN, words=f"{_SCAN.words} --set sin2_theta_w=0.2")
_RESUMED = replace(_SCAN, words=f"{_SCAN.words} --resume")
PAIRS = (
    *((command.name, command, command) for command in COMMANDS),
    ("scan, and another scan", _SCAN, _OTHER),
    ("scan, and to resume it", _SCAN, _RESUMED),
    ("to resume a scan, twice", _RESUMED, _RESUMED),
)


class Races(Attack):
    """Two commands write the same files at once; in a third of the cases one of them is killed.

    Of two that live at least one succeeds, and the other does, too, or is refused in one line. In
    the end, after a killed one has been repeated, all files are what one of them makes alone.
    """

    name = "races"
    cases = 3 * len(PAIRS)
    limit_s = 4 * LIMIT_S

    def __enter__(self) -> Races:
        self.workshop = Workshop(self.folder)
        return self

    def case(self, number: int) -> Outcome:
        name, first, second = PAIRS[number % len(PAIRS)]
        random = self.random(number)
        references = [self.workshop.reference(command) for command in (first, second)]
        folder = self.workshop.copy(first, self.folder / "case")
        # Most of what can go wrong is in the first milliseconds and in the last ones.
        longest = pick(random, (0.0, 0.02, references[0].seconds))
        jobs: list[dict[str, Any]] = [
            {"words": first.line(), "folder": str(folder)},
            {
                "words": second.line(),
                "folder": str(folder),
                "delay_s": float(random.uniform(0.0, longest)),
            },
        ]
        killed = random.random() < 1.0 / 3.0
        if killed:
            jobs[0] |= {"signal": "SIGKILL", "at_step": int(random.integers(references[0].steps))}
        reports = self.workshop.server.run(*jobs)
        faults = [_fault(report) for report in reports]
        codes = [report["code"] for report in reports]
        if 0 not in codes and not reports[0]["sent"]:
            faults.append(f"none succeeded: {reports[0]['stderr']} {reports[1]['stderr']}")
        if reports[0]["sent"]:
            faults.append(self._repeat(first, folder))
        found = tree(folder)
        differences = [difference(found, reference.tree) for reference in references]
        if all(differences):
            faults.append(differences[0])
        shutil.rmtree(folder)
        verdict = "one killed" if reports[0]["sent"] else "both lived"
        return Outcome((name,), verdict, "; ".join(filter(None, faults)))

    def _repeat(self, command: Command, folder: Path) -> str:
        """Repeat the command that was killed; what is wrong with how that ends."""
        words = command.line(again=True)
        if not command.store and not command.cold and "--force" not in words:
            # The other one may have been done before the killed one left something behind.
            words.append("--force")
        report = self.workshop.server.run({"words": words, "folder": str(folder)})[0]
        if report["code"]:
            return f"then it ended with {report['code']}: {report['stderr'][-300:]}"
        return ""


def _fault(report: dict[str, Any]) -> str:
    if report["late"]:
        return "it did not end"
    if report["sent"]:
        return ""
    if report["code"] not in (0, 2):
        return f"code {report['code']}, signal {report['signal']}: {report['stderr'][-300:]}"
    return misspoken(report["stderr"], report["stdout"], failed=report["code"] != 0)
