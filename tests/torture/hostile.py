"""Text, numbers and bytes that programs stumble over."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np

from torture.attack import pick

Random = np.random.Generator
ByteChange = Callable[[bytes, Random], bytes]

TEXTS = (
    "", " ", "x", "0", "-", "nan", "None", "true", "ü", "µ", "中文", "１２", "٣", "🙂", "e\u0301",
    "\u200f", "\u202e", "\ufeff", "\u2028", "[red]x[/red]", "[/]", "[bold", "$\\frac{$", "$", "\\",
    "\x1b[31mred", "\x1b]0;title\x07", "\x9b2J", "\r", "\x08\x08", "\x00", "\x7f", "a\nb", "a\tb",
    "%s%n", "{0}", "{x!r}", "${HOME}", "__import__('os').system('true')", "'; DROP TABLE x",
    "../../etc/passwd", "/dev/zero", "/dev/null", ".", "..", "/", "~", "s3://bucket/a.zarr",
    "file:///etc/passwd", "shipped:", "shipped:../manifest.json", "shipped:none.csv", "a" * 5000,
    "CON", "a b", "=1+1", "#", '"', "'",
)  # fmt: skip
NUMBERS = (
    "0", "-1", "1", "2", "100", "1e6", "nan", "inf", "-inf", "1e308", "-1e308", "1e-308", "5e-324",
    "1e-9", "1e9", "-0.0", "1e400", "1" + "0" * 400, "9223372036854775808", "-9223372036854775809",
    "0.1", "16.9", "1e-3", "3.0e-5", "97",
)  # fmt: skip
_FACTORS = (1e-9, 1e-6, 1e-3, 0.01, 0.1, 0.5, 0.999, 1.001, 2.0, 10.0, 100.0, 1e3, 1e6, 1e9, -1.0)


def scaled(text: str, random: Random) -> str:
    """A number times some factor; what is no number, as it is."""
    try:
        return repr(float(text) * pick(random, _FACTORS))
    except ValueError:
        return text


def misspelt(word: str, random: Random) -> str:
    """A word with a slip of the finger."""
    at = int(random.integers(max(1, len(word))))
    return pick(
        random,
        (
            word[:at] + word[at + 1 :],
            word[:at] + word[at : at + 1] * 2 + word[at + 1 :],
            word[:at] + "x" + word[at + 1 :],
            word.upper(),
            word.replace("_ev", "_kev").replace("_mev", "_gev").replace("_d", "_s"),
            word.replace("_", "-"),
            f"{word} ",
            pick(random, TEXTS),
        ),
    )


def toml_value(old: str, random: Random) -> str:
    """Something else that may stand on the right of an equals sign."""
    text = json.dumps(pick(random, TEXTS), ensure_ascii=bool(random.integers(2)))
    number = pick(random, NUMBERS)
    return pick(
        random,
        (
            text, text, number, number, scaled(old, random), scaled(old, random), f'"{old}"',
            f"[{old}]", f"[{old}, {old}]", f"{{ x = {old} }}", "[]", "{}", "true", "false", "[[]]",
            "1979-05-27T07:32:00Z", "0x10", "1_0", "1,5", "", f"[{number}, {number}]", old * 2,
            f"{{ {old} = 1 }}", "[" * 300 + "]" * 300, f"[{', '.join(['1.0'] * 3000)}]",
        ),
    )  # fmt: skip


def cell(old: str, random: Random) -> str:
    """Something else that may stand in a table."""
    odd = ("1_0", "1,5", "1;5", "1 5", "0x10", "1e", "--1", "+1", ".5", "5.", "1d3", "TRUE", "1.5 ")
    choices = (pick(random, TEXTS), pick(random, NUMBERS), scaled(old, random), pick(random, odd))
    return pick(random, choices)


def _insert(content: bytes, more: bytes, random: Random) -> bytes:
    at = int(random.integers(len(content) + 1))
    return content[:at] + more + content[at:]


def _flip(content: bytes, random: Random) -> bytes:
    changed = bytearray(content)
    for _ in range(int(random.integers(1, 9))):
        changed[int(random.integers(len(changed)))] ^= 1 << int(random.integers(8))
    return bytes(changed)


def _noise(content: bytes, random: Random) -> bytes:
    start = int(random.integers(len(content)))
    length = int(random.integers(1, 200))
    return content[:start] + random.bytes(length) + content[start + length :]


def _text(content: bytes) -> str:
    return content.decode(errors="replace")


# Of any file.
BYTES: dict[str, ByteChange] = {
    "cut": lambda content, random: content[: int(random.integers(len(content)))],
    "bits flipped": _flip,
    "noise": _noise,
    "NUL": lambda content, random: _insert(content, b"\0", random),
    "zeros": lambda content, random: _insert(content, bytes(512), random),
    "doubled": lambda content, _: content * 2,
    "cut at the front": lambda content, random: content[int(random.integers(len(content))) :],
}
# Of text files.
ENCODINGS: dict[str, ByteChange] = {
    "UTF-16": lambda content, _: _text(content).encode("utf-16"),
    "UTF-32": lambda content, _: _text(content).encode("utf-32"),
    "latin-1": lambda content, random: _insert(content, "#µü\n".encode("latin-1"), random),
    "UTF-7": lambda content, random: _insert(content, b"+AGEAYg-", random),
    "surrogate": lambda content, random: _insert(content, b"\xed\xa0\x80", random),
    "overlong": lambda content, random: _insert(content, b"\xc0\xaf", random),
    "control characters": lambda content, random: _insert(content, b"\x1b[2J\x07", random),
    "carriage returns": lambda content, _: content.replace(b"\n", b"\r"),
    "separators of lines": lambda content, random: _insert(
        content, pick(random, ("\u2028", "\x85", "\x0b", "\x0c", "\x1c")).encode(), random
    ),
    "long line": lambda content, random: _insert(content, b"1" * 200_000, random),
}
# What must change nothing.
NEUTRAL: dict[str, ByteChange] = {
    "byte-order mark": lambda content, _: b"\xef\xbb\xbf" + content,
    "CRLF": lambda content, _: content.replace(b"\n", b"\r\n"),
    "comment": lambda content, _: b"# \x61 comment, with \xc2\xb5\n" + content,
    "no last line feed": lambda content, _: content.rstrip(b"\n"),
}
