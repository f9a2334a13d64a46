"""Physical constants in the units of the project: MeV, cm, s (CODATA 2022).

`scipy.constants` holds the same numbers, but takes longer to import than a limit takes.
"""

from __future__ import annotations

FERMI_CONSTANT_PER_MEV2 = 1.1663787e-05 * 1e-6
FINE_STRUCTURE_CONSTANT = 0.0072973525643
ELECTRON_MASS_MEV = 0.51099895069
MUON_MASS_MEV = 105.6583755
# Particle Data Group 2024; CODATA gives the tau less precisely.
TAU_MASS_MEV = 1776.86
PROTON_MASS_MEV = 938.27208943
NEUTRON_MASS_MEV = 939.56542194
ATOMIC_MASS_UNIT_MEV = 931.49410372
AVOGADRO_PER_MOL = 6.02214076e23
MEV_PER_JOULE = 1e-6 / 1.602176634e-19
HBAR_C_MEV_FM = 197.3269804
# One cross section in MeV^-2 is this many cm^2.
MEV_MINUS_2_IN_CM2 = (HBAR_C_MEV_FM * 1e-13) ** 2
SECONDS_PER_DAY = 86400.0

# MS-bar value at zero momentum transfer (C25 ref. 9). SciPy's "weak mixing angle", 0.223, is the
# on-shell one and would shift every CEvNS rate by several per cent.
SIN2_THETA_W = 0.23857
