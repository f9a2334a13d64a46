"""What stands above a figure: words and symbols, never the names that programs use."""

from dataclasses import dataclass
from typing import Any

import pytest

from fastscan.inputs import load_experiment
from fastscan.models import get_model
from fastscan.plotting import caption, new_figure, result_caption, style
from fastscan.plotting.caption import set_caption
from fastscan.results import Provenance

HELD = {"mass_mev": 10.0, "sin2_theta_w": 0.23857}


def test_everything_that_a_figure_depends_on() -> None:
    words = caption(
        get_model("vector"), load_experiment("conus-plus"), HELD, "cevns",
        method="Wilks", level="90 % C.L.",
    )  # fmt: skip
    assert words.splitlines() == [
        "light vector mediator ($B-L$), CONUS+ 2025,",
        r"CE$\nu$NS",
        r"held: $M$ = 10 MeV, $\sin^2\theta_W$ = 0.23857",
        "Wilks, 90 % C.L.",
    ]


def test_couplings_at_zero_are_summed_up() -> None:
    held = {"q_ee": 0.0, "r2_ee": 1e-32, "mu_nu": 0.0}
    words = caption(get_model("electromagnetic"), "x", held).splitlines()
    assert words[-1].startswith("held: $")
    assert "cm$^2$" in words[-1]
    assert words[-1].endswith("other couplings 0")
    only = caption(get_model("electromagnetic"), "x", {"q_ee": 0.0})
    assert only.splitlines()[-1] == "held: couplings 0"


def test_a_mass_of_zero_is_told() -> None:
    assert "$M$ = 0 MeV" in caption(get_model("vector"), "x", {"mass_mev": 0.0})


@pytest.mark.parametrize(
    ("model", "options", "words"),
    [
        ("vector", {"charges": "l_e-l_mu"}, r"($L_e-L_\mu$)"),
        ("vector", {"charges": "1,2,3,4"}, "(charges 1,2,3,4)"),
        ("magnetic-moment", {}, "neutrino magnetic moment,"),
        ("magnetic-moment", {"quadratic_term": True}, "(with quadratic term)"),
        ("scalar", {"up_mass_mev": 2.3}, "(up mass = 2.3 MeV)"),
    ],
)
def test_options_in_words(model: str, options: dict[str, object], words: str) -> None:
    assert words in caption(get_model(model, **options), "somewhere", {})


@dataclass
class Held:
    """A result of which nothing is known but its header."""

    header: dict[str, Any]
    profiled: tuple[str, ...] = ()

    @property
    def provenance(self) -> Provenance:
        return Provenance.of_header(self.header)

    @property
    def held(self) -> dict[str, float]:
        held: dict[str, float] = self.header["parameters"]
        return held


def test_the_title_of_another_experiment_is_not_borrowed() -> None:
    """One's own may be called like a shipped one."""
    header = {"model": "sm", "options": {}, "parameters": {}, "channels": "both",
              "experiment": "conus-plus", "experiment_source": "my desk"}  # fmt: skip
    assert "CONUS+ 2025" not in result_caption(Held(header))
    source = load_experiment("conus-plus").source
    assert "CONUS+ 2025" in result_caption(Held({**header, "experiment_source": source}))


def test_figures_grow_by_their_captions() -> None:
    heights = []
    with style():
        for words in ("one line", "one\ntwo\nthree"):
            figure = new_figure()
            axes = figure.add_subplot()
            set_caption(axes, words)
            figure.draw_without_rendering()
            heights.append(axes.get_window_extent().height)
    assert heights[1] == pytest.approx(heights[0], rel=0.02)
