"""Text is data: names of every kind, through every way out."""

import json
import re
import xml.etree.ElementTree
from pathlib import Path

import pytest
from matplotlib.image import imread

from fastscan import InputError
from fastscan.cli import main
from fastscan.cli.console import PlainConsole
from fastscan.text import for_figure, for_terminal

# Escape sequences: of a colour, of the window's title, and the byte that starts one alone.
ESCAPES = "\x1b[31mred \x1b]0;title\x07 \x9b2J"
NAMES = [
    "threshold [eV]",
    "flux [%]",
    "[/x] closed",
    "[bold]fat[/bold] :smile:",
    "[link=http://x]s",
    r"$\bad{$",
    r"cost $5 $\frac{ x",
    r"\$ 1_2^3",
    ESCAPES,
    "turned \u202e round",
]
NOT_PRINTED = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def toml_string(text: str) -> str:
    return json.dumps(text, ensure_ascii=True)


@pytest.fixture
def experiment(tmp_path, monkeypatch):
    """An experiment whose every text is hostile."""
    monkeypatch.chdir(tmp_path)
    title = toml_string("".join(NAMES))
    lines = ['extends = "conus-plus"', 'name = "odd"', f"title = {title}",
             f"description = {title}", f"source = {title}", "[systematics]"]  # fmt: skip
    for name in NAMES:
        lines += ["[[systematics.pulls]]", f"name = {toml_string(name)}",
                  'kind = "normalisation"', "sigma = 0.1", 'channel = "cevns"']  # fmt: skip
    (tmp_path / "odd.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return ("--experiment", "odd.toml")


@pytest.fixture
def printed(capsys):
    """What a command prints on both streams; it must end well."""

    def call(*arguments):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        captured = capsys.readouterr()
        assert not ended.value.code, captured.err
        return captured.out

    return call


@pytest.mark.parametrize(
    "words",
    [
        ("fit", "sm"),
        ("predict", "sm"),
        ("impacts", "sm", "--poi", "sin2_theta_w"),
        ("limit", "sm", "--poi", "sin2_theta_w"),
        ("sensitivity", "sm", "--poi", "sin2_theta_w", "--toys", "0"),
        ("scan", "sm", "--axis", "sin2_theta_w=0.1:0.4:20"),
    ],
)
def test_names_are_printed_and_do_nothing(printed, experiment, words):
    out = printed(*words, *experiment)
    assert not NOT_PRINTED.search(out)
    assert "odd" in out
    if words[0] in ("fit", "impacts", "predict"):
        for name in ("threshold [eV]", "flux [%]", "[/x] closed", "[bold]fat[/bold] :smile:"):
            assert name in out
        assert r"\x1b[31mred" in out


@pytest.mark.parametrize("words", [("fit", "sm"), ("impacts", "sm", "--poi", "sin2_theta_w")])
def test_json_is_the_name_and_not_a_command(printed, experiment, words):
    out = printed(*words, *experiment, "--json")
    assert not NOT_PRINTED.search(out)
    found = json.loads(out)
    names = found["pulls"] if words[0] == "fit" else [row["name"] for row in found["rows"]]
    assert set(names) == set(NAMES)


@pytest.mark.parametrize("suffix", ["png", "pdf", "svg"])
@pytest.mark.parametrize(
    "words",
    [
        ("fit", "sm"),
        ("impacts", "sm", "--poi", "sin2_theta_w"),
        ("posterior", "sm", "--poi", "sin2_theta_w"),
        ("sensitivity", "sm", "--poi", "sin2_theta_w", "--toys", "0",
         "--exposure", "1", "--exposure", "4"),
    ],
)  # fmt: skip
def test_names_are_drawn_as_they_are(printed, experiment, words, suffix):
    printed(*words, *experiment, "-o", f"f.{suffix}")
    if suffix == "svg":
        xml.etree.ElementTree.parse("f.svg")
    elif suffix == "png":
        assert imread("f.png").size


def test_plot_of_a_scan(printed, experiment):
    axis = ("--axis", "sin2_theta_w=0.1:0.4:20")
    printed("scan", "sm", *axis, *experiment, "--out", "[s] $x.zarr")
    assert "[s] $x.svg" in printed("plot", "[s] $x.zarr", "-o", "[s] $x.svg")
    xml.etree.ElementTree.parse("[s] $x.svg")
    assert not NOT_PRINTED.search(printed("inspect", "[s] $x.zarr"))


def test_errors_show_what_they_name(capsys, tmp_path):
    path = tmp_path / "bad \x1b[31m\nname.csv"
    path.write_text("a,b\n1,\x1b[2J\n")
    with pytest.raises(SystemExit) as ended:
        main(("evaluate", "sm", str(path), "-o", "o.csv"))
    error = capsys.readouterr().err
    assert ended.value.code == 2
    assert error.count("\n") == 1
    assert not NOT_PRINTED.search(error)
    assert not NOT_PRINTED.search(str(InputError(ESCAPES, where=ESCAPES, hint=ESCAPES)))


def test_overlays_of_odd_words(printed, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    axes = ("--axis", "mass_mev=0.1:100:30:log", "--axis", "g=1e-7:1e-3:30:log")
    printed("scan", "vector", *axes, "--out", "s.zarr")
    text = "# label: a \x1b[31mred $M^2$\n# source: \x07x\nmass_mev,g\n1,1e-5\n10,1e-4\n"
    Path("o.csv").write_text(text)
    printed("plot", "s.zarr", "--overlay", "o.csv", "-o", "p.svg")
    xml.etree.ElementTree.parse("p.svg")


def test_cells_are_no_markup():
    console = PlainConsole(width=80)
    with console.capture() as capture:
        console.print("[bold]x[/] :smile: \x1b[31m\nsecond")
    assert capture.get() == "[bold]x[/] :smile: \\x1b[31m\nsecond\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain ± é 中", "plain ± é 中"),
        ("a\x1b[0m\n\x00", r"a\x1b[0m\n\x00"),
        ("narrow\u202fblank", "narrow blank"),
        ("\udc80 \u2028 \u202e", r"\udc80 \u2028 \u202e"),
    ],
)
def test_for_terminal(text, expected):
    assert for_terminal(text) == expected


@pytest.mark.parametrize("text", ["$x$", "$", "$$", r"\$x$", r"a\$", r"$\frac{$ $"])
def test_for_figure_is_drawn_letter_by_letter(text):
    """As matplotlib reads it, alone and beside mathematics."""
    from matplotlib.cbook import is_math_text

    assert not is_math_text(for_figure(text))
    assert for_figure(text).replace(r"\$", "$") == text
    assert is_math_text(f"{for_figure(text)} $x$")
