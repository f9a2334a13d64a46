"""The one look of all figures: sizes, fonts, colours."""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import cycle, islice
from typing import Any

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, get_font
from matplotlib.text import Text

__all__ = [
    "COLUMN_WIDTH_CM",
    "FOREGROUND",
    "LINE_STYLES",
    "PAGE_WIDTH_CM",
    "PALETTE",
    "OwnFigure",
    "curve_styles",
    "grow",
    "missing_letters",
    "new_figure",
    "shown",
    "style",
    "tint",
]

# Text widths of a two-column journal page.
COLUMN_WIDTH_CM = 8.6
PAGE_WIDTH_CM = 17.8

# Okabe and Ito, "Color universal design" (2008): told apart with any colour vision. Their yellow
# is left out, a line of it does not show on white.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
# A second cue beside the colour, for print in grey.
LINE_STYLES: tuple[Any, ...] = ("solid", (0, (5, 1.6)), (0, (1.2, 1.2)), (0, (6, 1.5, 1.2, 1.5)))
FOREGROUND = "#1A1A1A"

# STIX comes with matplotlib: the same letters on every machine, and those of the mathematics.
_SETTINGS: dict[Any, Any] = {
    "font.family": "STIXGeneral",
    "mathtext.fontset": "stix",
    "font.size": 9.5,
    "axes.labelsize": 10.5,
    "axes.titlesize": 9.5,
    "xtick.labelsize": 9.0,
    "ytick.labelsize": 9.0,
    "legend.fontsize": 9.0,
    "legend.title_fontsize": 9.0,
    "text.color": FOREGROUND,
    "axes.edgecolor": FOREGROUND,
    "axes.labelcolor": FOREGROUND,
    "xtick.color": FOREGROUND,
    "ytick.color": FOREGROUND,
    "axes.linewidth": 0.7,
    "axes.formatter.use_mathtext": True,
    "lines.linewidth": 1.4,
    "patch.linewidth": 1.4,
    "xtick.direction": "in",
    "ytick.direction": "in",
    "xtick.top": True,
    "ytick.right": True,
    "xtick.minor.visible": True,
    "ytick.minor.visible": True,
    "xtick.major.size": 4.0,
    "ytick.major.size": 4.0,
    "xtick.minor.size": 2.0,
    "ytick.minor.size": 2.0,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "xtick.minor.width": 0.5,
    "ytick.minor.width": 0.5,
    "axes.titlepad": 4.0,
    "legend.fancybox": False,
    "legend.edgecolor": "none",
    "legend.framealpha": 0.75,
    "legend.handlelength": 2.2,
    "figure.constrained_layout.use": True,
    "figure.dpi": 300.0,
    "savefig.dpi": "figure",
    # TrueType fonts embedded, as journals ask; an SVG can not hold fonts, so its letters are paths.
    "pdf.fonttype": 42,
    "svg.fonttype": "path",
    # Names inside an SVG are hashes of its contents with this salt, not random.
    "svg.hashsalt": "fastscan",
}


@contextmanager
def style() -> Iterator[None]:
    """Draw and save in the project's style; matplotlib's settings are as before afterwards.

    Starts from matplotlib's own defaults, so that the user's matplotlibrc changes nothing. Letters
    that the font lacks are reported once, by who saves the figure, not each time they are drawn.
    """
    mathtext = logging.getLogger("matplotlib.mathtext")
    mathtext.addFilter(_has_glyph)
    try:
        with mpl.rc_context(), warnings.catch_warnings():
            warnings.filterwarnings("ignore", r"Glyph \d+ .*missing from")
            mpl.rcdefaults()
            mpl.rcParams.update(_SETTINGS)
            yield
    finally:
        mathtext.removeFilter(_has_glyph)


def _has_glyph(record: logging.LogRecord) -> bool:
    return "does not have a glyph" not in record.msg


def missing_letters(figure: Figure) -> list[str]:
    """Letters of a figure that its font does not have, each once, in the order they are found."""
    font = get_font(findfont(_SETTINGS["font.family"]))
    texts = (text.get_text() for text in figure.findobj(Text))
    letters = dict.fromkeys(letter for text in texts for letter in text if letter.isprintable())
    return [letter for letter in letters if not font.get_char_index(ord(letter))]


class OwnFigure(Figure):
    """A figure that was made here: it may grow by what stands around its axes."""


_SHOWN: ContextVar[bool] = ContextVar("shown", default=False)


@contextmanager
def shown() -> Iterator[None]:
    """Make figures that pyplot shows, as in a notebook, if it is in use at all."""
    token = _SHOWN.set(True)
    try:
        yield
    finally:
        _SHOWN.reset(token)


def new_figure(width_cm: float = COLUMN_WIDTH_CM, height_cm: float = 7.2) -> Figure:
    """Make an empty figure that knows how to draw itself without a display."""
    size = (width_cm / 2.54, height_cm / 2.54)
    pyplot = sys.modules.get("matplotlib.pyplot") if _SHOWN.get() else None
    if pyplot is not None:
        own: Figure = pyplot.figure(figsize=size, FigureClass=OwnFigure)
        return own
    figure = OwnFigure(figsize=size)
    FigureCanvasAgg(figure)
    return figure


def grow(figure: Figure | None, pixels: float) -> None:
    """Make room for words around the axes; a figure of somebody else keeps its size."""
    if isinstance(figure, OwnFigure):
        figure.set_figheight(figure.get_figheight() + pixels / figure.dpi)


def curve_styles(count: int) -> list[dict[str, Any]]:
    """Colour and line style of each of some curves."""
    pairs = zip(cycle(PALETTE), cycle(LINE_STYLES), strict=False)
    return [{"color": color, "linestyle": line} for color, line in islice(pairs, count)]


def tint(color: str, strength: float = 0.22) -> tuple[float, float, float]:
    """Mix a colour with white; opaque, so that it looks alike in every program and in print."""
    red, green, blue = (1.0 - strength * (1.0 - part) for part in to_rgb(color))
    return red, green, blue
