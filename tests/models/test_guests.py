"""Models from outside the package: found, loaded once, and equal to shipped ones."""

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import fastscan
from fastscan import Axis, InputError, ScanResult, run_scan, scan_in_memory
from fastscan.models import MODELS, recorded_model, registry
from fastscan.models.base import WEAK_MIXING_ANGLE
from fastscan.models.sm import StandardModel
from fastscan.scan import find_boundary, find_contour, marginalise
from fastscan.scan.construction import run_construction
from fastscan.scan.evaluation import evaluate_points, open_points

AXES = [Axis("mass_mev", 0.1, 100.0, 37, "log"), Axis("g", 1e-6, 1e-3, 23, "log")]
POINT = {"mass_mev": 10.0}


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    """Names that a test gives are its own."""
    monkeypatch.setattr(registry, "_registered", {})
    monkeypatch.setattr(registry, "_named", {})


@pytest.fixture(scope="module")
def both(make, copied):
    """The shipped model, and its copy."""
    return make("vector"), make(copied)


def write(folder, text, name="mine.py"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


PLAIN = """
from fastscan.models.sm import StandardModel


class Mine(StandardModel):
    name = "mine"
"""


# --- equal to the shipped one ---------------------------------------------------------------------


def _scan(likelihood, tmp_path):
    found = run_scan(likelihood, AXES, out=tmp_path / "x.zarr", block_points=100)
    return [*found.values.ravel(), *found.best_fit.point.values(), *found.minimum.point.values()]


def _contour(likelihood, tmp_path):
    return np.concatenate(find_contour(scan_in_memory(likelihood, AXES)).lines)


def _boundary(likelihood, tmp_path):
    found = find_boundary(likelihood, AXES[0], "g", tolerance=1e-2)
    return np.column_stack([found.values, found.allowed[:, 0]])


def _marginal(likelihood, tmp_path):
    found = marginalise(likelihood, AXES, ["mass_mev"], method="bayes")
    return [found.minimum.chi2, *found.interval_errors(0.9)[0], *found.intervals(0.9)[0]]


def _evaluate(likelihood, tmp_path):
    points = tmp_path / "points.csv"
    points.write_text("mass_mev,g\n1,1e-5\n10,2e-5\n")
    out = tmp_path / "chi2.csv"
    function = fastscan.Chi2Function(likelihood, ["mass_mev", "g"])
    evaluate_points(function, open_points(points), out)
    return out.read_text().splitlines()[-2:]


def _construction(likelihood, tmp_path):
    out = tmp_path / "x.zarr"
    axes = [Axis("mass_mev", 1.0, 10.0, 3, "log"), Axis("g", 1e-6, 1e-4, 3, "log")]
    found = run_construction(likelihood, axes, out=out, toys=300, precision=0.5)
    return found.critical_value


OPERATIONS = {
    "predict": lambda own, _: own.predict(mass_mev=1.0, g=1e-5).total,
    "limit": lambda own, _: own.limit("g", POINT).intervals,
    "limit of a mass": lambda own, _: own.limit("mass_mev", {"g": 1e-4}).intervals,
    "profile": lambda own, _: own.limit("g", POINT, profiled=["sin2_theta_w"]).intervals,
    "chi2": lambda own, _: fastscan.Chi2Function(own, ["mass_mev", "g"])([[1.0, 1e-5]]),
    "scan": _scan,
    "contour": _contour,
    "boundary": _boundary,
    "marginal": _marginal,
    "evaluate": _evaluate,
    "posterior": lambda own, _: fastscan.credible_intervals(own, "g", POINT).intervals,
    "best fit": lambda own, _: list(fastscan.best_fit(own, ["g"], POINT).free.values()),
    "toys": lambda own, _: fastscan.ToyFits(own, "g", POINT).mean(1e-5),
    "feldman-cousins": lambda own, _: fastscan.feldman_cousins(own, "g", POINT, toys=300).intervals,
    "cls": lambda own, _: fastscan.cls_limit(own, "g", POINT, toys=300).upper_limit,
    "construction": _construction,
    "sensitivity": lambda own, _: fastscan.expected_limit(own, "g", POINT, toys=100).bands,
    "coverage": lambda own, _: [
        share.value for share in fastscan.coverage(own, "g", 1e-5, POINT, toys=100).shares.values()
    ],
    "impacts": lambda own, _: [row.pull for row in fastscan.find_impacts(own, "g", POINT).rows],
}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_guest_equals_the_same_model_shipped(both, operation, tmp_path):
    found = []
    for own in both:
        folder = tmp_path / own.model.name
        folder.mkdir()
        found.append(OPERATIONS[operation](own, folder))
    np.testing.assert_array_equal(*found)


def test_a_guest_in_worker_processes(both, tmp_path):
    """They load the file for themselves."""
    out = tmp_path / "x.zarr"
    found = run_scan(both[1], AXES, out=out, scheduler="processes", workers=2, block_points=300)
    np.testing.assert_array_equal(found.values, scan_in_memory(both[0], AXES).values)


def test_a_guest_in_a_joint_fit(both):
    with pytest.raises(InputError, match="likelihoods of different models"):
        both[0] + both[1]


# --- stores ---------------------------------------------------------------------------------------


def test_a_store_names_the_file_and_its_sha256(both, copied, tmp_path):
    import hashlib

    path = Path(copied.rpartition(":")[0])
    result = run_scan(both[1], AXES, out=tmp_path / "x.zarr")
    assert result.header["model"] == "copied"
    assert result.header["model_file"] == "copied.py"
    assert result.header["model_sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    shipped = run_scan(both[0], AXES, out=tmp_path / "y.zarr")
    assert not {"model_file", "model_sha256"} & {*shipped.header}


def test_resuming_needs_the_same_file(both, copied, tmp_path):
    out = tmp_path / "x.zarr"
    run_scan(both[1], AXES, out=out, block_points=100)
    run_scan(both[1], AXES, out=out, resume=True)
    path = Path(copied.rpartition(":")[0])
    edited = write(tmp_path, path.read_text() + "\n# Edited.\n", "copied.py")
    other = fastscan.likelihood(f"{edited}:VectorMediator")
    with pytest.raises(InputError, match="scan to resume is another one: its model_sha256 differs"):
        run_scan(other, AXES, out=out, resume=True)


def open_elsewhere(store, first):
    """Open a scan in a process that did only what is told first."""
    code = (
        f"import fastscan\n{first}\n"
        f"scan = fastscan.ScanResult.open({str(store)!r})\n"
        "print(scan.best_fit.chi2); print(scan.origin); print(scan.minimum.chi2)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    return done.stdout.splitlines()


def test_a_store_is_opened_where_the_model_is_known(both, copied, tmp_path):
    out = tmp_path / "x.zarr"
    result = run_scan(both[1], AXES, out=out)
    lines = open_elsewhere(out, f"fastscan.get_model({copied!r})")
    assert lines == [str(result.best_fit.chi2), "", str(result.minimum.chi2)]


def test_a_store_says_what_it_lacks_where_the_model_is_not_known(both, tmp_path):
    out = tmp_path / "x.zarr"
    result = run_scan(both[1], AXES, out=out)
    chi2, origin, lowest = open_elsewhere(out, "")
    assert chi2 == lowest == str(result.best_fit.chi2)
    assert "model copied of copied.py is not known here" in origin
    assert "--model FILE.py:Class" in origin


def test_a_file_that_was_edited_is_another_model(both, copied, tmp_path):
    out = tmp_path / "x.zarr"
    run_scan(both[1], AXES, out=out)
    path = Path(copied.rpartition(":")[0])
    edited = write(tmp_path, path.read_text() + "\n# Edited.\n", "copied.py")
    _, origin, _ = open_elsewhere(out, f'fastscan.get_model("{edited}:VectorMediator")')
    assert "model copied of copied.py is another one by now" in origin


@pytest.mark.parametrize("sha256", [None, "", "0" * 64, 7])
@pytest.mark.parametrize("name", ["{evil}:Evil", "evil", "fastscan.evil:Evil", "vector", "[1]"])
def test_a_header_loads_nothing(tmp_path, monkeypatch, name, sha256):
    """Whatever a stranger's store says."""
    flag = tmp_path / "loaded"
    text = f"open({str(flag)!r}, 'w').close()\n" + PLAIN.replace("Mine", "Evil").replace(
        "mine", "evil"
    )
    evil = write(tmp_path, text, "evil.py")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    header = {"model": name.format(evil=evil), "options": {}, "model_file": str(evil)}
    if sha256 is not None:
        header["model_sha256"] = sha256
    if name == "vector" and sha256 is None:
        assert type(recorded_model(header)) is MODELS["vector"]
    else:
        with pytest.raises(InputError):
            recorded_model(header)
    assert not flag.exists()


def test_a_hostile_store_loads_nothing(make, tmp_path, monkeypatch):
    """The same through all of reading: a scan whose header was changed by somebody."""
    flag = tmp_path / "loaded"
    evil = write(tmp_path, f"open({str(flag)!r}, 'w').close()\n{PLAIN}", "evil.py")
    out = tmp_path / "x.zarr"
    scan = fastscan.scan.provenance.scan_header

    def hostile(*given):
        return {**scan(*given), "model": f"{evil}:Mine"}

    monkeypatch.setattr(fastscan.scan.run, "scan_header", hostile)
    run_scan(make("vector"), AXES, out=out)
    opened = ScanResult.open(out)
    assert "unknown model" in opened.origin
    assert opened.bounds == {}
    assert not flag.exists()


def test_a_model_without_a_text_is_not_stored(make, tmp_path):
    space = {"StandardModel": StandardModel, "__name__": "nowhere"}
    exec(compile("class Mine(StandardModel):\n    name = 'typed'\n", "<typed>", "exec"), space)
    sm = make("sm")
    likelihood = fastscan.Likelihood(space["Mine"](), sm.experiment, sm.response)
    axes = [Axis("sin2_theta_w", 0.1, 0.4, 11)]
    np.testing.assert_array_equal(
        scan_in_memory(likelihood, axes).values, scan_in_memory(sm, axes).values
    )
    with pytest.raises(InputError, match="the text of model typed can not be read"):
        run_scan(likelihood, axes, out=tmp_path / "x.zarr")
    assert list(tmp_path.iterdir()) == []


# --- other processes ------------------------------------------------------------------------------


def test_pickled_likelihoods_are_made_again_elsewhere(both, tmp_path):
    """In a process that knows nothing of the file, which may even be gone."""
    path = write(tmp_path, Path(both[1].model.functions.__code__.co_filename).read_text())
    path.write_text(path.read_text() + "\n# Gone.\n")
    likelihood = fastscan.likelihood(f"{path}:VectorMediator", charges="b-3l_e")
    data = tmp_path / "likelihood.pickle"
    data.write_bytes(pickle.dumps(likelihood))
    path.unlink()
    code = (
        f"import pickle; likelihood = pickle.load(open({str(data)!r}, 'rb'))\n"
        "print(likelihood.model.charges, likelihood.limit('g', {'mass_mev': 10.0}).intervals)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    expected = f"{likelihood.model.charges} {likelihood.limit('g', POINT).intervals}\n"
    assert done.stdout == expected


def test_a_pickle_here_is_of_the_same_class(both):
    again = pickle.loads(pickle.dumps(both[1].model))
    assert type(again) is type(both[1].model)
    assert again.options() == both[1].model.options()


# --- files ----------------------------------------------------------------------------------------


def test_a_file_is_loaded_once(tmp_path):
    count = tmp_path / "count"
    path = write(tmp_path, f"with open({str(count)!r}, 'a') as file:\n    file.write('x')\n{PLAIN}")
    first, second = (fastscan.get_model(f"{path}:Mine") for _ in range(2))
    assert type(first) is type(second)
    assert count.read_text() == "x"


def test_the_file_may_be_edited(tmp_path):
    path = write(tmp_path, PLAIN)
    assert fastscan.get_model(f"{path}:Mine").title == "Standard Model"
    path.write_text(f'{PLAIN}    title = "edited"\n')
    assert fastscan.get_model(f"{path}:Mine").title == "edited"


def refusal(name, **options):
    with pytest.raises(InputError) as caught:
        fastscan.get_model(name, **options)
    text = str(caught.value)
    assert len(text.splitlines()) == 1
    return text


def test_no_such_file():
    message = refusal("nowhere.py:Mine")
    assert "the model file can not be read: No such file or directory (nowhere.py)" in message


def test_no_such_class(tmp_path):
    message = refusal(f"{write(tmp_path, PLAIN)}:Mne")
    assert "unknown class 'Mne'" in message
    assert "did you mean 'Mine'?" in message


def test_the_class_is_named_too(tmp_path):
    path = write(tmp_path, PLAIN)
    assert f"name the class, too: {path}:Class" in refusal(str(path))


def test_a_class_that_is_no_model(tmp_path):
    assert "Thing is not a model" in refusal(f"{write(tmp_path, 'class Thing: pass')}:Thing")


def test_a_class_of_elsewhere(tmp_path):
    path = write(tmp_path, PLAIN)
    assert "stated elsewhere, in fastscan.models.sm" in refusal(f"{path}:StandardModel")


def test_the_name_of_a_shipped_model(tmp_path):
    path = write(tmp_path, PLAIN.replace('"mine"', '"vector"'))
    message = refusal(f"{path}:Mine")
    assert "the name of model 'vector' is taken by a model of fastscan" in message


@pytest.mark.parametrize(
    ("text", "words", "line"),
    [
        ("x = 1\nx = = 2\n", "SyntaxError: invalid syntax", 2),
        ("import math\n\nmath.sqrt(-1)\n", "ValueError: ", 3),
        ("import no_such_module\n", "ModuleNotFoundError: No module named 'no_such_module'", 1),
        ("raise SystemExit(0)\n", "SystemExit: 0", 1),
    ],
)
def test_an_error_in_the_file(tmp_path, text, words, line):
    path = write(tmp_path, text)
    message = refusal(f"{path}:Mine")
    assert f"the model file can not be loaded: {words}" in message
    assert f"({path}, line {line})" in message


def test_an_error_in_the_constructor(tmp_path):
    text = f"{PLAIN}\n    def __init__(self, power=1):\n        self.power = 1 / power\n"
    path = write(tmp_path, text)
    message = refusal(f"{path}:Mine", power=0)
    assert "model mine can not be made: ZeroDivisionError: division by zero" in message
    assert f"({path}, line 9)" in message


@pytest.mark.parametrize("method", ["cross_section", "functions"])
def test_an_error_in_the_model(tmp_path, method):
    """One line, with the file and the line of the model; the cause is kept."""
    text = f"{PLAIN}\n    def {method}(self, recoils, shape=None):\n        return recoils.charge\n"
    path = write(tmp_path, text)
    likelihood = fastscan.likelihood(f"{path}:Mine")
    with pytest.raises(InputError) as caught:
        likelihood.predict()
    message = str(caught.value)
    assert f"{method} of model mine fails in cevns: AttributeError: " in message.replace(
        "functions of model mine fail in", "functions of model mine fails in"
    )
    assert f"({path}, line 9)" in message
    assert isinstance(caught.value.__cause__, AttributeError)


# --- names ----------------------------------------------------------------------------------------


def test_register_gives_a_name():
    @fastscan.register
    class Mine(StandardModel):
        name = "registered"

    assert isinstance(Mine, type)
    assert isinstance(fastscan.get_model("registered"), Mine)
    assert "registered" in fastscan.model_names()
    assert "registered" not in MODELS


def test_a_cell_that_is_run_again_states_its_class_again():
    kinds = []
    for _ in range(2):

        @fastscan.register
        class Mine(StandardModel):
            name = "again"

        kinds.append(Mine)
    assert type(fastscan.get_model("again")) is kinds[1]


def test_a_name_that_another_class_has():
    class First(StandardModel):
        name = "both"

    class Second(StandardModel):
        name = "both"

    fastscan.register(First)
    with pytest.raises(InputError, match=r"the name of model 'both' is taken by .*First"):
        fastscan.register(Second)


def test_register_checks_the_class():
    class Mine(StandardModel):
        name = "mine"
        parameters = (WEAK_MIXING_ANGLE, WEAK_MIXING_ANGLE)

    with pytest.raises(InputError, match="it is stated twice"):
        fastscan.register(Mine)


def test_a_registered_model_is_stored(make, tmp_path):
    @fastscan.register
    class Mine(StandardModel):
        name = "kept"

    axes = [Axis("sin2_theta_w", 0.1, 0.4, 11)]
    result = run_scan(fastscan.likelihood("kept"), axes, out=tmp_path / "x.zarr")
    assert result.header["model_file"] == Path(__file__).name
    assert ScanResult.open(tmp_path / "x.zarr").origin == ""


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """An installed package that states models as entry points."""
    about = tmp_path / "guest-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: guest\nVersion: 1.0\n")
    points = "mine = guest_models:Mine\nother = guest_models:Mine\nbroken = guest_models:Lost\n"
    (about / "entry_points.txt").write_text(f"[fastscan.models]\n{points}")
    write(tmp_path, PLAIN, "guest_models.py")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    sys.modules.pop("guest_models", None)


def test_installed_models_have_their_names(installed):
    assert fastscan.get_model("mine").name == "mine"
    assert {"mine", "broken"} <= {*fastscan.model_names()}


def test_an_installed_model_under_another_name(installed):
    assert "the entry point of model other leads to mine" in refusal("other")


def test_an_installed_model_that_can_not_be_loaded(installed):
    assert "model broken can not be loaded: AttributeError" in refusal("broken")


def test_a_store_of_an_installed_model(installed, tmp_path):
    axes = [Axis("sin2_theta_w", 0.1, 0.4, 11)]
    out = tmp_path / "x.zarr"
    run_scan(fastscan.likelihood("mine"), axes, out=out)
    registry._named.clear()
    assert ScanResult.open(out).origin == ""


# --- the example of the README --------------------------------------------------------------------


def test_the_example_is_the_vector_where_the_second_is_absent(make, two_mediators):
    two, one = make(two_mediators), make("vector")
    point = {"mass_mev": 1.0, "g": 1e-5}
    np.testing.assert_allclose(
        two.predict(**point, heavy_mev=100.0).total, one.predict(**point).total, rtol=1e-13
    )


def test_the_example_adds_both_in_the_amplitude(make, two_mediators):
    """At equal masses g**2 + h**2 is that of one boson."""
    two, one = make(two_mediators), make("vector")
    found = two.predict(mass_mev=1.0, heavy_mev=1.0, g=3e-6, h=4e-6).total
    np.testing.assert_allclose(found, one.predict(mass_mev=1.0, g=5e-6).total, rtol=1e-12)
