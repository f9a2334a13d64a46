"""Physical constants in the units of the project: MeV, cm, s (CODATA 2022 through SciPy)."""

from __future__ import annotations

from scipy import constants as _codata

FERMI_CONSTANT_PER_MEV2 = _codata.value("Fermi coupling constant") * 1e-6
FINE_STRUCTURE_CONSTANT = _codata.value("fine-structure constant")
ELECTRON_MASS_MEV = _codata.value("electron mass energy equivalent in MeV")
MUON_MASS_MEV = _codata.value("muon mass energy equivalent in MeV")
# Particle Data Group 2024; CODATA gives the tau less precisely.
TAU_MASS_MEV = 1776.86
PROTON_MASS_MEV = _codata.value("proton mass energy equivalent in MeV")
NEUTRON_MASS_MEV = _codata.value("neutron mass energy equivalent in MeV")
ATOMIC_MASS_UNIT_MEV = _codata.value("atomic mass constant energy equivalent in MeV")
AVOGADRO_PER_MOL = _codata.value("Avogadro constant")
MEV_PER_JOULE = 1e-6 / _codata.value("elementary charge")
HBAR_C_MEV_FM = 197.3269804
# One cross section in MeV^-2 is this many cm^2.
MEV_MINUS_2_IN_CM2 = (HBAR_C_MEV_FM * 1e-13) ** 2
SECONDS_PER_DAY = _codata.day

# MS-bar value at zero momentum transfer (C25 ref. 9). SciPy's "weak mixing angle", 0.223, is the
# on-shell one and would shift every CEvNS rate by several per cent.
SIN2_THETA_W = 0.23857
