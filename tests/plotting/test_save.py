"""Letters of a title that the font of figures lacks are named, once."""

import logging
import warnings

import pytest

from fastscan.plotting.save import save_figure
from fastscan.plotting.style import new_figure, style


@pytest.fixture
def figure():
    with style():
        figure = new_figure()
        figure.subplots()
    return figure


@pytest.mark.parametrize("title", ["\U0001f680 \u6f22", "$x$ \U0001f680 \u6f22"])
@pytest.mark.parametrize("suffix", ["png", "pdf", "svg"])
def test_missing_letters_are_named_once(tmp_path, caplog, figure, title, suffix):
    figure.axes[0].set_title(title)
    with style():
        figure.draw_without_rendering()
    with caplog.at_level(logging.WARNING):
        save_figure(figure, tmp_path / f"f.{suffix}")
    (record,) = caplog.records
    assert record.name == "fastscan.plotting.save"
    assert record.getMessage().endswith("does not have \U0001f680 \u6f22: drawn as boxes")


def test_letters_of_the_font_are_not(tmp_path, caplog, figure):
    figure.axes[0].set_title("Süß − µ, 10 °C, $g$")
    with caplog.at_level(logging.WARNING):
        save_figure(figure, tmp_path / "f.png")
    assert caplog.records == []


def test_other_warnings_pass(figure):
    with pytest.warns(UserWarning, match="of another kind"), style():
        warnings.warn("of another kind", stacklevel=1)
