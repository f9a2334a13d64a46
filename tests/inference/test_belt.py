"""The search for the ends of an interval, and the errors it states, on a made-up belt."""

import numpy as np
import pytest

from fastscan.inference.belt import Belt, accepted_intervals
from fastscan.inference.critical_values import Critical

# Of a critical value from one toy: as the chi2 distribution has it at 90 %.
ERROR = 4.8
TOYS = 20_000


class MadeUp(Belt):
    """A statistic x**2 whose critical value is 2.7 everywhere, but for the noise of toys."""

    def __init__(self, seed, sign):
        super().__init__(fits=None, cl=0.9, seed=seed)
        self.sign = sign

    def rise(self, value):
        return value**2

    def critical(self, value, number, toys):
        error = ERROR / np.sqrt(toys)
        noise = np.random.default_rng((self.seed, number)).standard_normal()
        return Critical(2.7 + error * noise, error, toys)


@pytest.mark.parametrize(("sign", "nearest"), [(1.0, 1.635), (-1.0, 1.635), (1.0, 1.7)])
def test_errors_of_ends_are_those_of_repeated_searches(sign, nearest, monkeypatch):
    """Also where a first point, of fewer toys, lies close to the end."""
    monkeypatch.setattr("fastscan.inference.belt._BOOTSTRAPS", 30)
    points = sorted(sign * at for at in (1.0, 1.3, nearest, 1.85, 2.1))
    ends, errors = [], []
    for seed in range(60):
        belt = MadeUp(seed, sign)
        for value in points:
            belt.found[value] = belt.critical(value, belt.number(value), TOYS // 5)
        belt.refine(points, TOYS, lambda: None)
        ((low, high),) = accepted_intervals(belt.excess, sorted(belt.found))
        end = high if sign > 0.0 else low
        ends.append(end)
        errors.append(belt.end_error(points, end))
    assert np.mean(ends) == pytest.approx(sign * np.sqrt(2.7), abs=0.01)
    assert np.std(ends) / np.sqrt(np.mean(np.square(errors))) == pytest.approx(1.0, abs=0.25)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_first_point_on_the_wrong_side_does_not_hold_the_end(sign):
    """Its few toys say that the crossing is beyond it, those of all that it is before."""

    class Wrong(MadeUp):
        def critical(self, value, number, toys):
            error = ERROR / np.sqrt(toys)
            off = 2.5 * error if toys < TOYS and abs(value) == 1.66 else 0.0
            return Critical(2.7 + off, error, toys)

    belt = Wrong(0, sign)
    points = sorted(sign * at for at in (1.0, 1.3, 1.66, 1.85, 2.1))
    for value in points:
        belt.found[value] = belt.critical(value, belt.number(value), TOYS // 5)
    belt.refine(points, TOYS, lambda: None)
    (ends,) = accepted_intervals(belt.excess, sorted(belt.found))
    assert sign * np.sqrt(2.7) == pytest.approx(ends[1] if sign > 0.0 else ends[0], rel=1e-3)
