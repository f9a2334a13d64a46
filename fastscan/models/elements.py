"""Elements of a symmetric matrix in flavour, and which of them an incoming neutrino feels."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["ELEMENTS", "LEPTONS", "families", "row"]

LEPTONS = ("e", "mu", "tau")
# Elements by name, with their TeX; names are as those of reactors, which came first.
ELEMENTS: Mapping[str, str] = {
    "ee": "ee",
    "emu": r"e\mu",
    "etau": r"e\tau",
    "mumu": r"\mu\mu",
    "mutau": r"\mu\tau",
    "tautau": r"\tau\tau",
}


def row(lepton: str) -> tuple[str, tuple[str, str]]:
    """Diagonal element and transitions of an incoming flavour.

    Examples
    --------
    >>> row("mu")
    ('mumu', ('emu', 'mutau'))
    """
    others = tuple(name for name in ELEMENTS if lepton in families(name) and name != 2 * lepton)
    return 2 * lepton, (others[0], others[1])


def families(element: str) -> tuple[str, ...]:
    """Families of neutrinos that feel an element.

    Examples
    --------
    >>> families("etau")
    ('e', 'tau')
    """
    return tuple(
        lepton
        for lepton in LEPTONS
        if any(element in (lepton + other, other + lepton) for other in LEPTONS)
    )
