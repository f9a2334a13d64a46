"""Targets by their formula: elements whose isotopes and electron shells are shipped."""

from __future__ import annotations

import re
from typing import Any

from fastscan.exceptions import InputError, unknown_name

__all__ = ["ATOMIC_NUMBERS", "elements_of", "shipped_element", "shipped_photoabsorption"]

# Elements with shipped tables, by symbol.
ATOMIC_NUMBERS = {
    "Li": 3, "O": 8, "F": 9, "Na": 11, "Al": 13, "Si": 14, "Ar": 18, "Ca": 20,
    "Ge": 32, "I": 53, "Xe": 54, "Cs": 55, "W": 74,
}  # fmt: skip
_PHOTOABSORPTION = ("Si", "Ar", "Ge", "I", "Xe", "Cs")
_ATOM = re.compile(r"([A-Z][a-z]?)([1-9][0-9]{0,3})?")


def elements_of(formula: object, where: str = "target.material") -> list[dict[str, Any]]:
    """Settings of ``target.elements`` for a formula.

    Parameters
    ----------
    formula : str
        Symbols, each with how many atoms of it there are: ``Ge``, ``CsI``, ``CaWO4``.
    where : str, optional
        Where the formula stands, for messages.

    Raises
    ------
    InputError
        It is no formula, or an element has no shipped tables.

    Examples
    --------
    >>> [(e["symbol"], e["atoms_per_formula_unit"]) for e in elements_of("CaWO4")]
    [('Ca', 1.0), ('W', 1.0), ('O', 4.0)]
    """
    if not re.fullmatch(rf"(?:{_ATOM.pattern})+", str(formula)):
        raise InputError(
            f"{formula!r} is no formula", where=where, hint="write symbols as in Ge, CsI, CaWO4"
        )
    atoms: dict[str, float] = {}
    for symbol, number in _ATOM.findall(str(formula)):
        if symbol not in ATOMIC_NUMBERS:
            error = unknown_name("element", symbol, ATOMIC_NUMBERS)
            raise InputError(
                f"{error.what}: there are no shipped tables of it",
                where=where,
                hint=f"there are {', '.join(ATOMIC_NUMBERS)}; give others as [[target.elements]]",
            )
        atoms[symbol] = atoms.get(symbol, 0.0) + float(number or 1)
    return [
        {"symbol": symbol, "atoms_per_formula_unit": number} for symbol, number in atoms.items()
    ]


def shipped_element(symbol: str) -> dict[str, Any]:
    """Keys of an element that is known by its symbol alone; empty where there are no tables."""
    if symbol not in ATOMIC_NUMBERS:
        return {}
    return {
        "atomic_number": ATOMIC_NUMBERS[symbol],
        "isotopes": f"shipped:{symbol.lower()}_isotopes.csv",
        "shells": f"shipped:{symbol.lower()}_shells.csv",
    }


def shipped_photoabsorption(symbol: str, tabulation: str) -> str:
    """Reference to a shipped table of the photoelectric cross section; empty if there is none."""
    if symbol not in _PHOTOABSORPTION:
        return ""
    return f"shipped:photoabsorption/{symbol.lower()}_{tabulation}.csv"
