"""The words above a figure: what was analysed, what was held at which value, method and level."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence

from matplotlib.axes import Axes

from fastscan.inputs import Experiment, JointExperiment, experiment_names, load_experiment
from fastscan.models import Model
from fastscan.plotting.axis import symbol_words, unit_words
from fastscan.plotting.style import COLUMN_WIDTH_CM, OwnFigure, grow
from fastscan.results import Result
from fastscan.text import for_figure, for_terminal

__all__ = ["CHANNEL_LABELS", "caption", "result_caption", "set_caption"]

# Words of legends, in mathtext.
CHANNEL_LABELS = {
    "both": r"CE$\nu$NS + E$\nu$ES",
    "cevns": r"CE$\nu$NS",
    "eves": r"E$\nu$ES",
}
_CHARGES = {
    "b-l": "$B-L$",
    "b-3l_e": "$B-3L_e$",
    "b-3l_mu": r"$B-3L_\mu$",
    "l_e-l_mu": r"$L_e-L_\mu$",
    "l_e-l_tau": r"$L_e-L_\tau$",
    "universal": "universal charges",
    "dark-photon": "dark photon",
}
# Letters of a caption that fit above the axes of a figure one column wide.
_COLUMN_LETTERS = 46
_MOST_LINES = 3
_COMMAND = re.compile(r"\\[a-zA-Z]+")


def caption(
    model: Model,
    experiment: str | Experiment | JointExperiment,
    held: Mapping[str, float],
    channels: str = "both",
    *,
    method: str = "",
    level: str = "",
    extra: Sequence[str] = (),
    data: str = "",
    width_cm: float = COLUMN_WIDTH_CM,
) -> str:
    """Make the caption of a figure, in lines that fit above it.

    Parameters
    ----------
    model : Model
    experiment : str or Experiment or JointExperiment
        Its title is shown; its name if it has none.
    held : mapping of str to float
        Parameters that were not free. Those at zero are summed up.
    channels : {"both", "cevns", "eves"}
    method, level : str
        In mathtext.
    extra : sequence of str
        In mathtext, beside what was held: what was profiled or measured elsewhere.
    data : str
        Where counts come from that are not the experiment's.
    width_cm : float
        Of the figure.
    """
    title = experiment if isinstance(experiment, str) else experiment.title or experiment.name
    values = []
    for name, value in held.items():
        parameter = model.parameter(name)
        if value != 0.0 or parameter.kind == "shape":
            number = f"{symbol_words(parameter)} = {value:.10g} {unit_words(parameter.unit)}"
            values.append(number.strip())
    if len(values) < len(held):
        values.append(f"{'other ' if values else ''}couplings 0")
    letters = int(_COLUMN_LETTERS * width_cm / COLUMN_WIDTH_CM)
    blocks = [
        [
            _folded(model.title, letters) + _options(model),
            _folded(title, letters),
            CHANNEL_LABELS[channels],
        ],
        [("held: " if i == 0 else "") + words for i, words in enumerate(values)],
        list(extra),
        [_folded(f"data: {data}", letters)] if data else [],
        [words for words in (method, level) if words],
    ]
    return "\n".join(line for block in blocks for line in _lines(block, letters))


def result_caption(
    result: Result, *, method: str = "", level: str = "", width_cm: float = COLUMN_WIDTH_CM
) -> str:
    """Make the caption of a result: what was analysed and held, method and level.

    Raises
    ------
    InputError
        It is of a model that this version does not have.
    """
    about = result.provenance
    model = about.known_model()
    extra = [
        f"${model.parameter(c.name).symbol}$ = {c.value:.6g} $\\pm$ {c.sigma:.2g} measured"
        for c in about.constraints
    ]
    if result.profiled:
        names = ", ".join(f"${model.parameter(name).symbol}$" for name in result.profiled)
        extra.append(f"profiled: {names}")
    return caption(
        model,
        about.experiment_title or _title(about.experiment, about.experiment_source),
        result.held,
        about.channels,
        method=method,
        level=level,
        extra=extra,
        data=about.data,
        width_cm=width_cm,
    )


def set_caption(axes: Axes, words: str) -> None:
    """Put a caption above axes; a figure of ours grows by the lines beyond the first."""
    title = axes.set_title(words.partition("\n")[0], loc="left")
    figure = axes.get_figure(root=True)
    if not isinstance(figure, OwnFigure):
        title.set_text(words)
        return
    first = title.get_window_extent().height
    title.set_text(words)
    grow(figure, title.get_window_extent().height - first)


def _title(name: str, source: str) -> str:
    """Title of a shipped experiment; one's own has the name that was given to it."""
    if name in experiment_names():
        experiment = load_experiment(name)
        if experiment.source == source:
            return experiment.title or name
    return name


def _options(model: Model) -> str:
    """Options that are not at their default, and charges in any case, in brackets."""
    defaults = inspect.signature(type(model)).parameters
    words = []
    for name, value in model.options().items():
        if name == "charges":
            words.append(_CHARGES.get(str(value), for_figure(f"charges {value}")))
        elif name not in defaults or value != defaults[name].default:
            shown = for_figure(name.removesuffix("_mev").replace("_", " "))
            if isinstance(value, bool):
                words.append(f"{'with' if value else 'without'} {shown}")
            else:
                unit = " MeV" if name.endswith("_mev") else ""
                words.append(f"{shown} = {for_figure(str(value))}{unit}")
    return f" ({', '.join(words)})" if words else ""


def _folded(text: str, letters: int) -> str:
    """Text of somebody else in lines, not more than a few of them."""
    lines = textwrap.wrap(for_terminal(text), letters, max_lines=_MOST_LINES, placeholder=" …")
    return "\n".join(map(for_figure, lines))


def _lines(pieces: Iterable[str], letters: int) -> list[str]:
    """Pieces with commas between them, as many to a line as fit."""
    lines: list[str] = []
    for piece in pieces:
        first, *more = piece.split("\n")
        longer = f"{lines[-1]}, {first}" if lines else first
        if lines and _length(longer) <= letters:
            lines[-1] = longer
        else:
            if lines:
                lines[-1] += ","
            lines.append(first)
        lines += more
    return lines


def _length(words: str) -> int:
    """Letters that are seen, about."""
    return len(re.sub(r"[${}_^\\]", "", _COMMAND.sub("x", words)))
