"""Limits on one parameter with others profiled: minima attained, and not undercut."""

import numpy as np
import pytest

from fastscan.likelihoods import delta_chi2, profiled_chi2

RISE = delta_chi2(0.90)


def chi2_on_grid(likelihood, held, axes):
    """Chi2 on the grid of some parameters, the others held."""
    mesh = np.meshgrid(*axes.values(), indexing="ij")
    columns = [column.ravel() for column in mesh]
    points = np.stack(columns, axis=1) if columns else np.empty((1, 0))
    counts = likelihood.counts(tuple(axes), held).layers(points)[:, 0] * likelihood.sigma
    return profiled_chi2(counts, likelihood.data, likelihood.sigma, likelihood.sigma_alpha)


def stretched(size, points=101):
    """Around zero, evenly inside and in equal ratios further out."""
    return size * np.sinh(np.linspace(-8.0, 8.0, points))


CASES = [
    # Model, parameter of interest, its size, sizes of the profiled ones, held.
    ("millicharge", "q_ee", 1e-12, {"q_emu": 1e-13, "q_etau": 1e-13}, {}),
    ("millicharge", "q_emu", 1e-12, {"q_ee": 1e-13, "q_etau": 1e-13}, {}),
    ("charge-radius", "r2_ee", 2e-31, {"r2_emu": 1e-33, "r2_etau": 1e-33}, {}),
    ("charge-radius", "r2_etau", 2e-31, {"r2_ee": 1e-33, "r2_emu": 1e-33}, {}),
    ("electromagnetic", "mu_nu", 3e-11, {"q_ee": 1e-13}, {}),
    ("electromagnetic", "q_ee", 5e-13, {"r2_ee": 1e-33, "mu_nu": 1e-13}, {}),
    ("nsi", "eps_u_ee", 0.3, {"eps_d_ee": 1e-3}, {}),
    ("nsi", "eps_u_emu", 0.3, {"eps_u_ee": 1e-3, "eps_d_emu": 1e-3}, {}),
    ("vector", "g", 1e-5, {"sin2_theta_w": None}, {"mass_mev": 1.0}),
    ("sm", "sin2_theta_w", 0.25, {}, {}),
]
cases = pytest.mark.parametrize(
    ("model", "poi", "size", "others", "held"), CASES, ids=[f"{c[0]} {c[1]}" for c in CASES]
)


@cases
def test_profile_is_attained_and_not_undercut(make, model, poi, size, others, held):
    likelihood = make(model)
    profile = likelihood.profile(poi, held, tuple(others))
    for value in size * np.array([0.0, 0.5, 1.0, 3.0]):
        chi2, basin = profile(value), profile.basin(value)
        attained = likelihood.predict(**held, **{poi: value}, **basin.profiled).chi2
        assert chi2 == pytest.approx(attained, rel=1e-9)
        axes = {
            name: np.linspace(0.0, 1.0, 2001) if scale is None else stretched(scale)
            for name, scale in others.items()
        }
        axes = {name: axis[axis >= 0.0] if name == "mu_nu" else axis for name, axis in axes.items()}
        lowest = chi2_on_grid(likelihood, held | {poi: value}, axes).min()
        assert chi2 <= lowest * (1 + 1e-9)


# Three couplings at each of a hundred values: too long for a limit.
limit_cases = pytest.mark.parametrize(
    ("model", "poi", "size", "others", "held"),
    [c for c in CASES if c[1] != "eps_u_emu"],
    ids=[f"{c[0]} {c[1]}" for c in CASES if c[1] != "eps_u_emu"],
)


@limit_cases
def test_ends_are_at_the_level_of_the_profile(make, model, poi, size, others, held):
    likelihood = make(model)
    found = likelihood.limit(poi, held, profiled=tuple(others))
    profile = likelihood.profile(poi, held, tuple(others))
    assert found.chi2_min == pytest.approx(profile(found.best_fit), rel=1e-9)
    minimum = likelihood.model.parameter(poi).minimum
    ends = [end for end in np.ravel(found.intervals) if end > minimum]
    assert ends
    chi2 = [profile(end) for end in ends]
    np.testing.assert_allclose(chi2, found.chi2_min + RISE, rtol=1e-6)


@limit_cases
def test_profile_is_smooth(make, model, poi, size, others, held):
    # Also where large couplings nearly cancel each other.
    profile = make(model).profile(poi, held, tuple(others))
    for value in size * np.array([1.0, 4.0] if poi == "sin2_theta_w" else [1.0, 10.0, 60.0]):
        assert profile(value * (1 - 1e-9)) == pytest.approx(profile(value), rel=1e-6)


@limit_cases
def test_profile_lies_at_the_level_or_above_outside(make, model, poi, size, others, held):
    likelihood = make(model)
    found = likelihood.limit(poi, held, profiled=tuple(others))
    profile = likelihood.profile(poi, held, tuple(others))
    parameter = likelihood.model.parameter(poi)
    level = found.chi2_min + RISE
    values = size * np.sinh(np.linspace(-4.0, 4.0, 25))
    for value in values[(values >= parameter.minimum) & (values <= parameter.maximum)]:
        allowed = any(low <= value <= high for low, high in found.intervals)
        chi2 = profile(value)
        if abs(chi2 - level) > 1e-6:
            assert allowed == (chi2 < level), value


@pytest.mark.parametrize(
    ("model", "pois"),
    [("millicharge", ("q_emu", "q_etau")), ("charge-radius", ("r2_emu", "r2_etau"))],
)
def test_transition_elements_are_alike_and_symmetric(make, model, pois):
    first, second = (make(model).limit(poi) for poi in pois)
    ((low, high),) = first.intervals
    assert low == -high
    np.testing.assert_allclose(second.intervals, first.intervals, rtol=1e-9)


@pytest.mark.parametrize("model", ["millicharge", "charge-radius"])
def test_elements_are_profiled_by_default(make, model):
    prefix = {"millicharge": "q", "charge-radius": "r2"}[model]
    names = [f"{prefix}_{element}" for element in ("ee", "emu", "etau")]
    for poi in names:
        found = make(model).limit(poi)
        assert set(found.profiled) == set(names) - {poi}
        assert found.parameters == {"sin2_theta_w": 0.23857}


def test_an_element_that_is_set_is_not_profiled(make):
    found = make("millicharge").limit("q_ee", {"q_emu": 1e-12})
    assert found.profiled == ("q_etau",)
    assert found.parameters["q_emu"] == 1e-12


def test_nothing_is_profiled_when_told_so(make):
    found = make("millicharge").limit("q_ee", profiled=())
    assert found.profiled == ()


def test_profiling_the_mass_undercuts_every_mass(make):
    likelihood = make("vector")
    profile = likelihood.profile("g", {}, ("mass_mev",))
    for g in (1e-6, 1e-4, 1e-2):
        chi2, basin = profile(g), profile.basin(g)
        attained = likelihood.predict(g=g, **basin.profiled).chi2
        assert chi2 == pytest.approx(attained, rel=1e-9)
        masses = np.geomspace(1e-6, 1e9, 151)
        lowest = min(likelihood.predict(g=g, mass_mev=m).chi2 for m in masses)
        assert chi2 <= lowest * (1 + 1e-9)


# --- the surface it moves on ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "scales"),
    [
        ("electromagnetic", [3e-11, 1e-12, 1e-12, 1e-12, 1e-31, 1e-31, 1e-31, 0.2]),
        ("sm", [0.2]),
    ],
)
def test_gradient_is_that_of_the_value(make, rng, model, scales):
    likelihood = make(model)
    names = [p.name for p in likelihood.model.parameters if likelihood.felt(p.name)]
    form = likelihood.form(names)
    surface = form.surface(form.coefficients()[0])
    scales = np.array(scales)
    for _ in range(5):
        point = rng.uniform(0.2, 1.0, scales.size) * scales
        chi2, gradient = surface.value_and_gradient(point)
        assert chi2 == surface.value(point)
        steps = np.diag(1e-5 * scales)
        difference = [surface.value(point + s) - surface.value(point - s) for s in steps]
        np.testing.assert_allclose(
            gradient * scales, np.array(difference) / 2e-5, rtol=1e-5, atol=1e-6 * chi2
        )
