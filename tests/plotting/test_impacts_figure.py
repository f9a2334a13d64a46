"""What stands in the figure of impacts is what was found."""

import numpy as np
import pytest

from fastscan.models import get_model
from fastscan.plotting.impacts import impacts_figure
from fastscan.results import Impact, Impacts, Provenance

MODEL = get_model("millicharge")
SYMBOL = MODEL.parameter("q_ee").symbol
ABOUT = Provenance("millicharge", {}, "here", "both", "here", model=MODEL)


def impacts(*rows, intervals=((-2e-12, 3e-12),)):
    return Impacts(
        poi="q_ee", unit="e", cl=0.9, best_fit=1e-12, chi2_min=5.0, intervals=list(intervals),
        profiled=(), parameters={}, rows=list(rows), provenance=ABOUT,
    )  # fmt: skip


BOTH = impacts(
    Impact("quenching", -0.5, 0.8, 4e-13, -3e-13, [(-1e-12, 2e-12)]),
    Impact("flux", 0.1, 1.0, 1e-13, -1e-13, [(-2e-12, 0.0), (1e-12, 2.9e-12)]),
)


def test_pulls_have_their_errors():
    left, _, _ = impacts_figure(BOTH, title="sm, here").axes
    assert [label.get_text() for label in left.get_yticklabels()] == ["quenching", "flux"]
    assert left.get_title(loc="left") == "sm, here"
    # The largest stands on top.
    assert left.get_ylim()[0] > left.get_ylim()[1]
    ends = [bars.lines[2][0].get_segments()[0] for bars in left.containers]
    np.testing.assert_allclose([end[:, 0] for end in ends], [(-1.3, 0.3), (-0.9, 1.1)])


def test_shifts_are_bars_in_units_of_the_axis():
    _, middle, _ = impacts_figure(BOTH).axes
    assert middle.get_xlabel() == rf"$\Delta\,{SYMBOL}$ [$10^{{-13}}$ $e$]"
    assert [bar.get_width() for bar in middle.patches] == pytest.approx([4.0, 1.0, -3.0, -1.0])
    assert [text.get_text() for text in middle.get_legend().get_texts()] == [
        r"$-1\sigma$",
        r"$+1\sigma$",
    ]


def test_every_piece_of_a_limit_is_a_line():
    *_, right = impacts_figure(BOTH).axes
    lines = [tuple(line.get_xdata()) for line in right.lines if line.get_marker() == "|"]
    assert lines == [
        pytest.approx((-1.0, 2.0)),
        pytest.approx((-2.0, 0.0)),
        pytest.approx((1.0, 2.9)),
    ]
    assert right.get_xlabel() == rf"${SYMBOL}$ [$10^{{-12}}$ $e$] at 90 % C.L."


def test_open_limits_end_at_the_frame_and_no_shift_is_no_problem():
    open_ended = impacts(
        Impact("flux", 0.0, 1.0, 0.0, 0.0, [(0.0, np.inf)]), intervals=[(0.0, np.inf)]
    )
    *_, right = impacts_figure(open_ended).axes
    (line,) = (line for line in right.lines if line.get_marker() == "|")
    assert np.isfinite(line.get_xdata()).all()
