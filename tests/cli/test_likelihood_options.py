"""Options that say which data and constraints a likelihood has, in every command that has one."""

import json

import pytest

LIMIT = ("limit", "vector", "--poi", "g", "--set", "mass_mev=10", "--json")
SM = ("limit", "sm", "--poi", "sin2_theta_w")


def found(run, *words):
    result = run(*words)
    assert result.code == 0, result.err
    return json.loads(result.out)


def test_experiments_may_be_repeated(run):
    joint = found(
        run, *SM, "--experiment", "conus-plus", "--experiment", "conus-plus-a25", "--json"
    )
    assert joint["experiment"] == "conus-plus+conus-plus-a25"
    alone = found(run, *SM, "--json")
    assert joint["chi2_min"] > alone["chi2_min"]


def test_shared_nuisances_are_one(run):
    words = (*SM, "--experiment", "conus-plus", "--experiment", "conus-plus-a25", "--json")
    apart, shared = found(run, *words), found(run, *words, "--share", "normalisation")
    width = [piece[0][1] - piece[0][0] for piece in (apart["intervals"], shared["intervals"])]
    assert width[0] != pytest.approx(width[1], rel=1e-3)


def test_a_constraint_is_profiled_and_named(run):
    constraint = "sin2_theta_w=0.23857:0.0005"
    held = found(run, *LIMIT, "--constrain", constraint)
    assert held["profiled"] == ["sin2_theta_w"]
    assert held["constraints"] == [{"name": "sin2_theta_w", "value": 0.23857, "sigma": 0.0005}]
    text = run(*LIMIT[:-1], "--constrain", constraint).out
    assert "constrained: sin2_theta_w = 0.23857 +- 0.0005" in text


def test_expected_data_find_what_was_injected(run):
    asimov = found(run, *LIMIT, "--data", "asimov", "--inject", "mass_mev=10", "--inject", "g=2e-5")
    assert asimov["best_fit"] == pytest.approx(2e-5, rel=1e-6)
    assert asimov["data"] == "expected counts of mass_mev = 10, g = 2e-05"


def test_pseudo_data_go_to_a_file_and_back(run, tmp_path):
    path = tmp_path / "counts.csv"
    point = ("--set", "mass_mev=10", "--set", "g=2e-5")
    assert run("predict", "vector", *point, "-o", str(path), "--quiet").code == 0
    again = found(run, "predict", "vector", *point, "--data", str(path), "--json")
    assert again["chi2"] == pytest.approx(0.0, abs=1e-12)
    assert again["data"] == "counts.csv"
    assert run("predict", "vector", *point, "-o", str(path)).code == 2


def test_upper_limits_are_one_sided_if_asked(run):
    both, one = found(run, *LIMIT), found(run, *LIMIT, "--one-sided")
    assert one["delta_chi2"] == pytest.approx(1.6424, rel=1e-4)
    assert 0.0 == one["intervals"][0][0] < one["intervals"][0][1] < both["intervals"][0][1]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--experiment", "conus-plus", "--experiment", "conus-plus-budget"), "hold the same data"),
        (("--share", "normalisation"), "there is one experiment"),
        (("--inject", "sin2_theta_w=0.2"), "add --data asimov"),
        (("--constrain", "sin2_theta_w=0.2"), "write --constrain"),
        (("--constrain", "sin2_theta_w=0.2:-1"), "not a positive number"),
        (("--constrain", "g=1:1"), "unknown parameter 'g'"),
        (("--data", "nowhere.csv"), "no such file"),
        (("--one-sided", "--method", "cls"), "--one-sided does nothing"),
        (("--one-sided", "--cl", "0.3"), "at 50 % or more"),
    ],
)
def test_bad_ones_get_one_line(run, words, told):
    result = run(*SM, *words)
    assert result.code == 2
    assert told in result.err
    assert result.err.count("\n") == 1


def test_rows_of_other_bins_are_refused(run, tmp_path):
    path = tmp_path / "counts.csv"
    path.write_text("low_ev,high_ev,counts\n100,110,3\n")
    assert "1 rows for 19 bins" in run(*SM, "--data", str(path)).err
    rows = "".join(f"{low},{low + 10},1\n" for low in range(100, 290, 10))
    path.write_text("low_ev,high_ev,counts\n" + rows)
    assert "not the bin of the experiment" in run(*SM, "--data", str(path)).err
