"""Parameters in which counts are no polynomials: several at once, and others than masses."""

import numpy as np
import pytest

import fastscan
from fastscan import Axis, Chi2Function, Likelihood, scan_in_memory
from fastscan.likelihoods.coordinates import ShapeScale
from fastscan.likelihoods.minimum import find_minimum
from fastscan.models import Model, Parameter, symbol
from fastscan.models.base import WEAK_MIXING_ANGLE
from fastscan.models.sm import StandardModel
from fastscan.scan import find_boundary, marginalise

PHASE = Parameter("phase", "1", None, r"\phi", "its phase", -3.0, 3.0, "shape", "linear")


class Phased(Model):
    """A neutral current of all nucleons that interferes with the weak charge by a phase."""

    name, title, reference = "phased", "neutral current with a phase", "none"
    parameters = (PHASE, Parameter("eps", "1", 0.0, "e", "its size", 0.0), WEAK_MIXING_ANGLE)

    def cross_section(self, recoils):
        weak = StandardModel().cross_section(recoils)
        if recoils.channel == "eves":
            return weak
        extra = symbol("eps") * (recoils.protons + recoils.neutrons)
        mixed = 2.0 * recoils.weak_charge() * extra * symbol("cosine")
        return weak + (mixed + extra**2) * recoils.nucleus_vector()

    def functions(self, recoils, shape):
        return {"cosine": np.cos(shape["phase"])[:, None] * np.ones(recoils.protons.size)}


@pytest.fixture(scope="module")
def phased(make):
    sm = make("sm")
    return Likelihood(Phased(), sm.experiment, sm.response)


@pytest.fixture(scope="module")
def pulled(make):
    """With pulls that move the spectrum."""
    sm = make("sm", "conus-plus-shapes")
    return Likelihood(Phased(), sm.experiment, sm.response, nuisances=sm.nuisances)


def mesh_of(likelihood):
    """Chi2 on many phases, and sizes."""
    phases, sizes = np.linspace(-3.0, 3.0, 241), np.linspace(0.0, 1.5, 201)
    mesh = np.stack(np.meshgrid(phases, sizes, indexing="ij"), axis=-1)
    chi2 = Chi2Function(likelihood, ["phase", "eps"])(mesh.reshape(-1, 2))
    return phases, sizes, chi2.reshape(mesh.shape[:2])


@pytest.fixture(scope="module")
def dense(phased):
    return mesh_of(phased)


def inside(intervals, values):
    return np.any([(values >= low) & (values <= high) for low, high in intervals], axis=0)


@pytest.mark.parametrize(("kind", "eps"), [("phased", 0.1), ("phased", 0.6), ("pulled", 0.3)])
def test_limit_of_an_angle(request, kind, eps):
    """Negative values are looked at, too, and ends of the range are ends of intervals."""
    likelihood = request.getfixturevalue(kind)
    found = likelihood.limit("phase", {"eps": eps})
    phases = np.linspace(-3.0, 3.0, 241)
    points = np.column_stack([phases, np.full(phases.size, eps)])
    chi2 = Chi2Function(likelihood, ["phase", "eps"])(points)
    assert found.chi2_min <= chi2.min() + 1e-9
    assert found.chi2_min >= chi2.min() - 0.02
    level = found.chi2_min + found.delta_chi2
    np.testing.assert_array_equal(inside(found.intervals, phases), chi2 <= level)


def test_profile_of_an_angle(phased, dense):
    """The lowest chi2 of all phases at each size."""
    found = phased.limit("eps", profiled=["phase"])
    _, sizes, chi2 = dense
    lowest = chi2.min(axis=0)
    assert found.chi2_min == pytest.approx(lowest.min(), abs=0.01)
    above = lowest - found.chi2_min - found.delta_chi2
    clear = np.abs(above) > 0.02
    np.testing.assert_array_equal(inside(found.intervals, sizes)[clear], above[clear] <= 0.0)


def test_limit_of_an_angle_with_the_size_profiled(phased, dense):
    found = phased.limit("phase", profiled=["eps"])
    assert found.chi2_min == pytest.approx(dense[2].min(), abs=0.01)


@pytest.mark.parametrize("given", [{}, {"eps": 0.3}])
def test_lowest_chi2_over_an_angle(phased, dense, given):
    form = phased.form(["phase", "eps"] if not given else ["phase"], given)
    found = find_minimum(form)
    _, sizes, chi2 = dense
    expected = chi2 if not given else chi2[:, np.abs(sizes - 0.3).argmin()]
    assert expected.min() - 0.02 <= found.chi2 <= expected.min() + 1e-9
    assert -3.0 <= found.point["phase"] <= 3.0


def test_scan_and_boundary_of_an_angle(phased):
    axes = [Axis("phase", -3.0, 3.0, 25), Axis("eps", 0.0, 1.5, 31)]
    scan = scan_in_memory(phased, axes)
    points = [[0.5, 0.3]]
    near = scan.chi2.sel(phase=0.5, eps=0.3, method="nearest").item()
    assert near == pytest.approx(Chi2Function(phased, ["phase", "eps"])(points)[0], rel=1e-6)
    boundary = find_boundary(phased, axes[0], "eps")
    allowed = np.array(
        [inside(own[np.isfinite(own[:, 0])], axes[1].values) for own in boundary.allowed]
    )
    np.testing.assert_array_equal(allowed, scan.values <= boundary.level)


def test_marginal_of_an_angle(phased):
    axes = [Axis("phase", -3.0, 3.0, 25), Axis("eps", 0.0, 1.5, 31)]
    found = marginalise(phased, axes, ["phase"])
    np.testing.assert_allclose(found.values, scan_in_memory(phased, axes).values.min(axis=1))


def test_posterior_of_an_angle(phased):
    """Flat over all its range, without a box: the share of the posterior inside is the level."""
    found = fastscan.posterior(phased, "phase", {"eps": 0.3})
    phases = np.linspace(-3.0, 3.0, 6001)
    density = found.density(phases)
    within = inside(found.credible(0.9).intervals, phases)
    assert density[within].sum() / density.sum() == pytest.approx(0.9, abs=1e-3)
    assert density.mean() * 6.0 == pytest.approx(1.0, abs=1e-3)


def test_toys_of_an_angle(phased):
    """Fits of toys agree with the limit of the same counts."""
    fits = fastscan.ToyFits(phased, "phase", {"eps": 0.3})
    value, chi2 = fits.best(fits.counts.observed)
    limit = phased.limit("phase", {"eps": 0.3})
    assert chi2[0] == pytest.approx(limit.chi2_min, abs=1e-6)
    assert min(abs(abs(value[0]) - abs(basin.value)) for basin in limit.basins) < 1e-3


@pytest.mark.parametrize("kind", ["phased", "pulled"])
def test_toys_of_a_plane_with_an_angle(request, kind):
    likelihood = request.getfixturevalue(kind)
    fits = fastscan.ToyFits(likelihood, ("phase", "eps"))
    point, chi2 = fits.best(fits.counts.observed)
    lowest = mesh_of(likelihood)[2].min()
    assert lowest - 0.02 <= chi2[0] <= lowest + 1e-6
    assert -3.0 <= point[0, 0] <= 3.0


# --- scales ---------------------------------------------------------------------------------------


def parameter(low, high, spacing="log"):
    return Parameter("m", "MeV", None, "m", "a mass", low, high, "shape", spacing)


def test_a_mass_runs_on_to_its_limits():
    scale = ShapeScale(parameter(0.0, np.inf))
    assert scale.open == (True, True)
    assert (scale.low, scale.high) == (1e-6, 1e12)
    assert scale.beyond([1.0]) == [-np.inf, 1.0, np.inf]
    assert scale.value(-np.inf) == 0.0
    assert scale.value(np.inf) == np.inf


def test_a_mass_with_bounds_ends_there():
    scale = ShapeScale(parameter(0.3, 70.0))
    assert scale.beyond([1.0]) == [1.0]
    assert scale.value(scale.first) == 0.3
    assert scale.value(scale.last) == 70.0
    assert scale.values(scale.steps(5)).tolist()[::4] == [0.3, 70.0]


def test_a_linear_parameter_is_its_own_variable():
    scale = ShapeScale(parameter(-2.0, 5.0, "linear"))
    assert scale.steps(8).tolist() == [-2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    assert scale.value(-1.5) == scale.variable(-1.5) == -1.5


@pytest.mark.parametrize(("low", "typical"), [(0.0, 1.0), (4.0, 4.0)])
def test_typical_value(low, typical):
    assert parameter(low, 7.0).typical == typical


# --- two masses -----------------------------------------------------------------------------------

BOTH = {"mass_mev": 10.0, "heavy_mev": 100.0}


@pytest.fixture(scope="module")
def two(make, two_mediators):
    return make(two_mediators)


def test_limits_with_two_masses(two):
    for poi in ("g", "h"):
        found = two.limit(poi, BOTH)
        (low, high), level = found.intervals[0], found.chi2_min + found.delta_chi2
        assert low == 0.0
        assert two.predict(**BOTH, **{poi: high}).chi2 == pytest.approx(level, abs=1e-6)


def test_limit_of_one_mass_beside_another(two):
    given = {"mass_mev": 100.0, "g": 1e-5, "h": 1e-4}
    found = two.limit("heavy_mev", given)
    (low, high), level = found.intervals[0], found.chi2_min + found.delta_chi2
    assert high == np.inf
    assert two.predict(**given, heavy_mev=low).chi2 == pytest.approx(level, abs=1e-6)


def test_two_masses_are_not_profiled_at_once(two):
    with pytest.raises(fastscan.InputError, match="mass_mev and another mass are both free"):
        two.limit("g", profiled=["mass_mev", "heavy_mev"])


def test_lowest_chi2_over_two_masses(two):
    """A valley that is bent: no point of a fine grid is lower, and hardly higher."""
    given = {"g": 1e-5, "h": 1e-5}
    found = find_minimum(two.form(["mass_mev", "heavy_mev"], given))
    masses = np.geomspace(1e-1, 1e6, 71)
    mesh = np.stack(np.meshgrid(masses, masses, indexing="ij"), axis=-1).reshape(-1, 2)
    chi2 = Chi2Function(two, ["mass_mev", "heavy_mev"], given)(mesh)
    assert chi2.min() - 0.01 < found.chi2 <= chi2.min() + 1e-9


def test_scan_over_two_masses_and_a_coupling(two):
    axes = [
        Axis("heavy_mev", 1.0, 1e3, 4, "log"),
        Axis("mass_mev", 0.1, 100.0, 5, "log"),
        Axis("g", 1e-6, 1e-3, 6, "log"),
    ]
    scan = scan_in_memory(two, axes, {"h": 1e-5})
    names = [axis.name for axis in axes]
    mesh = np.meshgrid(*(axis.values for axis in axes), indexing="ij")
    points = np.stack(mesh, axis=-1).reshape(-1, 3)
    expected = Chi2Function(two, names, {"h": 1e-5})(points).reshape(scan.shape)
    np.testing.assert_allclose(scan.values, expected, rtol=1e-9)
    kept = marginalise(two, axes, ["heavy_mev"], {"h": 1e-5})
    np.testing.assert_allclose(kept.values, scan.values.min(axis=(1, 2)), rtol=1e-12)


def test_boundary_beside_a_held_mass(two):
    axis = Axis("heavy_mev", 1.0, 1e3, 5, "log")
    found = find_boundary(two, axis, "h", {"mass_mev": 1.0, "g": 1e-6})
    for value, own in zip(found.values, found.allowed, strict=True):
        chi2 = two.predict(mass_mev=1.0, g=1e-6, heavy_mev=value, h=own[0, 1]).chi2
        assert chi2 == pytest.approx(found.level, abs=1e-6)


def test_posterior_of_one_mass_beside_another(two):
    given = {"mass_mev": 1.0, "h": 1e-4}
    found = fastscan.posterior(two, "heavy_mev", given, box=(1.0, 1e3)).credible(0.9)
    assert 1.0 < found.intervals[0][0] < found.intervals[-1][1] <= 1e3


def test_construction_beside_a_held_mass(two):
    found = fastscan.feldman_cousins(two, "h", BOTH, toys=300)
    assert found.intervals[0][0] == 0.0
