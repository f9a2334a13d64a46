"""Constants are those of CODATA 2022, which SciPy holds, too."""

import pytest
from scipy import constants as codata

from fastscan import constants


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FERMI_CONSTANT_PER_MEV2", codata.value("Fermi coupling constant") * 1e-6),
        ("FINE_STRUCTURE_CONSTANT", codata.value("fine-structure constant")),
        ("ELECTRON_MASS_MEV", codata.value("electron mass energy equivalent in MeV")),
        ("PROTON_MASS_MEV", codata.value("proton mass energy equivalent in MeV")),
        ("NEUTRON_MASS_MEV", codata.value("neutron mass energy equivalent in MeV")),
        ("ATOMIC_MASS_UNIT_MEV", codata.value("atomic mass constant energy equivalent in MeV")),
        ("AVOGADRO_PER_MOL", codata.Avogadro),
        ("MEV_PER_JOULE", 1e-6 / codata.elementary_charge),
        ("SECONDS_PER_DAY", codata.day),
    ],
)
def test_constants_are_those_of_codata(name, value):
    assert getattr(constants, name) == value
