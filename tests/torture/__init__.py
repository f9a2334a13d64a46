"""Attacks on fastscan from outside: kills, damaged stores, hostile files, full disks, races.

The design:

- An attack is a kind of disaster. Its case number n is decided by the seed, its name and n alone,
  so that a failure is repeated by ``scripts/torture KIND --seed SEED --only N``.
- Attacks know the command line and the public readers, and nothing of what is behind them. Stores
  are folders of files; which files, they look up.
- What must hold is stated once for each attack, in its docstring. A case ends as an `Outcome`; a
  case that takes too long, or takes its process with it, is a failure, too.
- Cases run in worker processes that a parent watches. Commands that are to be killed run in forks
  of one process that has imported everything, so that a kill costs a fraction of a second.
- ``scripts/torture`` runs as many cases as are asked for and writes the page of results;
  ``test_torture.py`` runs a few of each attack with the other tests.
"""
