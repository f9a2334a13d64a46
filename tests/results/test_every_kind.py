"""What every result can do, whatever its kind."""

import json
import pickle
import re
from html.parser import HTMLParser

import matplotlib as mpl
import numpy as np
import pytest
from result_kinds import MAKERS

from fastscan import InputError
from fastscan.plotting import new_figure
from fastscan.results import Result

# Scans of three axes have no figure.
DRAWN = sorted(set(MAKERS) - {"cube"})


class Tags(HTMLParser):
    """Names of all elements of a page, and whether each one ends."""

    def __init__(self):
        super().__init__()
        self.names, self.open = set(), []

    def handle_starttag(self, tag, attrs):
        self.names.add(tag)
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture(params=sorted(MAKERS))
def result(request, every):
    found = every(request.param)
    assert isinstance(found, Result)
    return found


def test_json_is_strict_and_says_what_was_analysed(result):
    about = result.to_dict()
    assert json.loads(json.dumps(about, allow_nan=False)) == about
    assert {"model", "options", "experiment", "channels", "parameters", "warnings"} <= set(about)


def test_datasets_have_named_dimensions_units_and_provenance(result):
    dataset = result.to_dataset()
    assert dataset.attrs["model"] == result.provenance.model_name
    assert {"experiment", "channels", "held", "fastscan_version"} <= set(dataset.attrs)
    assert not any(str(name).startswith("dim_") for name in dataset.dims)
    assert all("units" in array.attrs for array in dataset.variables.values())


def test_words_are_few(result):
    assert len(repr(result)) < 1000
    assert result.provenance.model_name in repr(result)


def test_pages_are_whole_and_hold_no_foreign_tags(result):
    page = Tags()
    page.feed(result._repr_html_())
    assert page.open == []
    assert page.names <= {"div", "strong", "p", "table", "thead", "tbody", "tr", "th", "td"}
    assert not re.search(r"\$", result._repr_html_())


def test_a_copy_from_another_process_is_equal(result):
    assert pickle.loads(pickle.dumps(result)) == result
    assert result != object()


def test_files(result, tmp_path):
    for suffix in ("json", "csv", "nc"):
        path = result.write(tmp_path / f"x.{suffix}")
        assert path.stat().st_size > 0
        with pytest.raises(InputError, match="exists"):
            result.write(path)
        result.write(path, force=True)
    assert json.loads((tmp_path / "x.json").read_text()) == result.to_dict()


@pytest.mark.parametrize("kind", DRAWN)
def test_figures_compose_with_the_callers(every, kind):
    result, figure = every(kind), new_figure(24.0, 10.0)
    own = mpl.figure.Figure(figsize=(9.0, 4.0))
    left, right = own.subplots(1, 2)
    settings = dict(mpl.rcParams)
    assert result.plot(right) is right
    assert left.get_title(loc="left") == ""
    assert not left.has_data()
    assert right.get_title(loc="left") or right.texts
    assert tuple(own.get_size_inches()) == (9.0, 4.0)
    assert own.legends == []
    assert dict(mpl.rcParams) == settings
    assert result.plot().figure is not figure


@pytest.mark.parametrize("kind", DRAWN)
def test_captions_tell_held_values_and_never_raw_names(every, kind):
    result = every(kind)
    words = result.plot().get_title(loc="left")
    model = result.provenance.known_model()
    raw = {p.name for p in model.parameters if "_" in p.name} | {"conus-plus"}
    assert [name for name in raw if name in words] == []
    held = {name: value for name, value in result.held.items() if value != 0.0}
    symbols = [model.parameter(name).symbol for name in held]
    joined = words.replace("\n", " ")
    assert [symbol for symbol in symbols if f"${symbol}$ = " not in joined] == []


def test_what_has_no_figure_says_so(every):
    with pytest.raises(InputError, match="can not be drawn"):
        every("cube").plot()


def test_dimensions_are_in_the_order_asked_for(every):
    assert every("memory").to_dataset()["chi2"].dims == ("g", "mass_mev")
    assert every("store").to_dataset()["chi2"].dims == ("mass_mev", "g")
    np.testing.assert_array_equal(every("memory").to_dataset()["chi2"], every("memory").values)
    assert every("store").to_dataset()["mass_mev"].attrs["units"] == "MeV"


def test_other_contents_are_not_equal(every):
    assert every("limit") != every("cls")
    assert every("marginal") != every("density")
    assert every("line") != every("memory")


def test_where_everything_is_allowed_it_is_said(every):
    about = every("degenerate limit").to_dict()
    assert about["intervals"] == [[0.0, None]]
    assert about["unbounded"] == ["high"]
    assert about["everything_allowed"] is True
    assert any("set no limit" in words for words in about["warnings"])
    assert every("limit").to_dict()["unbounded"] == []
    assert every("limit").to_dict()["everything_allowed"] is False


def test_names_are_no_markup(every):
    page = every("joint prediction")._repr_html_()
    assert "<b>" not in page
    title = every("joint fit").plot().get_figure().axes[1].get_title(loc="left")
    assert r"<b>\$other\$" in title
