"""Couplings of protons and neutrons to the Z boson, at tree level or with radiative corrections."""

from __future__ import annotations

from fastscan.constants import SIN2_THETA_W
from fastscan.exceptions import InputError

__all__ = ["radiative_shifts"]

# MS-bar couplings at low momentum transfer, box diagrams and neutrino charge radii included, after
# the electroweak review of the Particle Data Group. Rounded values that analyses of CEvNS quote;
# they were not read again in the review, which gives its inputs. None was found for nu_tau.
_PROTON = {"e": 0.0382, "mu": 0.0300}
_NEUTRON = -0.5117


def radiative_shifts(lepton: str) -> tuple[float, float]:
    """What radiative corrections add to 1/2 - 2 sin2_theta_w of protons and to -1/2 of neutrons.

    Parameters
    ----------
    lepton : str
        Family of the neutrino: e, mu or tau.

    Raises
    ------
    InputError
        There is no value for the family.

    Examples
    --------
    >>> [round(shift, 5) for shift in radiative_shifts("e")]
    [0.01534, -0.0117]
    """
    if lepton not in _PROTON:
        raise InputError(
            f"the radiative corrections are known for nu_e and nu_mu, not for nu_{lepton}",
            where="target.weak_charges",
            hint="write weak_charges = 'tree'",
        )
    return _PROTON[lepton] - (0.5 - 2.0 * SIN2_THETA_W), _NEUTRON + 0.5
