"""Continuing what was damaged."""

from __future__ import annotations

from torture.attack import Attack, Outcome, misspoken
from torture.commands import run
from torture.mutations import DAMAGES, judge
from torture.store_files import CONSTRUCTION, SCAN, make_stores

_WORDS = {"scan": SCAN, "construction": CONSTRUCTION}


class Repairs(Attack):
    """A scan or construction is damaged, and its command is given again with --resume.

    Either the reader finds all values as they were, or the command refuses in one line and changes
    no file.
    """

    name = "repairs"
    cases = 1_000
    limit_s = 60.0

    def __enter__(self) -> Repairs:
        self.stores = [store for store in make_stores(self.folder) if store.kind in _WORDS]
        self.combinations = [
            (store, name, damage)
            for store in self.stores
            for name in store.files
            for damage in DAMAGES
        ]
        return self

    def case(self, number: int) -> Outcome:
        store, name, damage = self.combinations[number % len(self.combinations)]
        DAMAGES[damage](store, name, self.random(number))
        before = store.contents()
        try:
            words = _WORDS[store.kind].split()
            said = run(*words, "--resume", "--quiet", "--workers", "1", "--out", str(store.path))
            failure = misspoken(said.stderr, said.stdout, failed=said.code != 0)
            after = store.contents()
            changed = [file for file in before | after if before.get(file) != after.get(file)]
            if said.code and changed and not failure:
                failure = f"refused, and changed: {', '.join(changed[:3])}"
            if said.code == 0 and not failure:
                found = judge(store, (store.kind, name, damage))
                failure = f"afterwards {found.verdict}" if found.verdict != "harmless" else ""
                failure = failure or found.failure
        finally:
            store.restore()
        verdict = "refused" if said.code else "repaired"
        return Outcome((store.kind, damage), verdict, failure)
