"""The command behind ``scripts/torture``."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from torture.attack import Attack, Outcome
from torture.disks import Disks
from torture.files import ExperimentFiles, PointFiles, TableFiles
from torture.kills import Kills
from torture.mutations import Mutations
from torture.page import Tally, page
from torture.pool import run_cases
from torture.races import Races
from torture.repairs import Repairs

ATTACKS: tuple[type[Attack], ...] = (
    Mutations, Repairs, ExperimentFiles, TableFiles, PointFiles, Kills, Disks, Races,
)  # fmt: skip
_MEMORY_DISK = Path("/dev/shm")


def main() -> int:
    """Run what the command line asks for; 1 if anything failed."""
    known = {attack.name: attack for attack in ATTACKS}
    chosen = _arguments(known)
    tallies = []
    for name in chosen.attacks or known:
        attack = known[name]
        count = attack.cases if chosen.cases is None else chosen.cases
        numbers = range(count) if chosen.only is None else chosen.only
        tallies.append(_run(attack, numbers, chosen))
    if chosen.page is not None:
        earlier = chosen.page.read_text(encoding="utf-8") if chosen.page.exists() else ""
        chosen.page.write_text(page(tallies, chosen.seed, earlier), encoding="utf-8")
    return 1 if any(tally.failures for tally in tallies) else 0


def _arguments(known: dict[str, type[Attack]]) -> argparse.Namespace:
    about = "; ".join(f"{name}: {attack.cases} cases" for name, attack in known.items())
    parser = argparse.ArgumentParser(
        prog="torture", description="Attack fastscan from outside.", epilog=f"All: {about}."
    )
    parser.add_argument("attacks", nargs="*", metavar="ATTACK", help="default: all of them")
    parser.add_argument("--seed", type=int, default=20260101, help="default: %(default)s")
    parser.add_argument("--cases", type=int, metavar="N", help="default: as below")
    parser.add_argument("--only", type=int, metavar="N", action="append", help="only case N")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="default: %(default)s")
    parser.add_argument(
        "--page", type=Path, metavar="FILE.md", help="write or complete this page of results"
    )
    parser.add_argument(
        "--scratch",
        type=Path,
        metavar="DIR",
        default=_MEMORY_DISK if _MEMORY_DISK.is_dir() else None,
        help="where to work; default: %(default)s",
    )
    chosen = parser.parse_args()
    unknown = sorted(set(chosen.attacks) - set(known))
    if unknown:
        parser.error(f"unknown attack {unknown[0]!r}; known: {', '.join(known)}")
    return chosen


def _run(attack: type[Attack], numbers: range | list[int], chosen: argparse.Namespace) -> Tally:
    tally = Tally(attack)
    start = last = time.monotonic()
    live = sys.stderr.isatty()
    clear, end = ("\r\x1b[K", "") if live else ("", "\n")

    def report(number: int, outcome: Outcome) -> None:
        nonlocal last
        tally.add(number, outcome)
        if outcome.failure:
            line = f"{attack.name} {number}, {': '.join(outcome.group)}: {outcome.failure}"
            sys.stderr.write(f"{clear}{' '.join(line.split())}\n")
        if time.monotonic() - last > (0.5 if live else 20.0) or tally.cases == len(numbers):
            last = time.monotonic()
            sys.stderr.write(
                f"{clear}{attack.name}: {tally.cases} of {len(numbers)} cases, "
                f"{tally.tries} tries, {len(tally.failures)} failures, {last - start:.0f} s{end}"
            )
            sys.stderr.flush()

    run_cases(attack, chosen.seed, numbers, jobs=chosen.jobs, scratch=chosen.scratch, report=report)
    if live:
        sys.stderr.write("\n")
    return tally


if __name__ == "__main__":
    sys.exit(main())
