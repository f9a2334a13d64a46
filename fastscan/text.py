"""Text of others is data: what has to happen to it before it is shown.

Names, titles and descriptions come from files and command lines. There are four ways out, and
each reads some characters as commands: a terminal reads escape sequences, a figure reads mathtext
between dollar signs, a notebook reads tags, and the tables of the command line read rich's markup,
which `fastscan.cli.output` switches off.
"""

from __future__ import annotations

import unicodedata

__all__ = ["for_figure", "for_html", "for_terminal"]


def for_terminal(text: str, keep: str = "") -> str:
    r"""Text in which nothing moves a cursor, changes a colour or can not be encoded.

    Characters that are not printed are shown as Python writes them, blanks of other widths as
    blanks.

    Examples
    --------
    >>> print(for_terminal("a\x1b[31mb\nc"))
    a\x1b[31mb\nc
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in keep else _visible(c) for c in text)


def for_figure(text: str) -> str:
    r"""Text that matplotlib draws as it is.

    Examples
    --------
    >>> for_figure("cost $5")
    'cost \\$5'
    """
    return for_terminal(text).replace("$", r"\$")


def for_html(text: str) -> str:
    r"""Text that a page shows as it is, mathematics between dollar signs of a notebook included.

    Examples
    --------
    >>> for_html("<b>5 $")
    '&lt;b&gt;5 &#36;'
    """
    replaced: dict[str, str | int | None]
    replaced = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;", "$": "&#36;"}
    return for_terminal(text).translate(str.maketrans(replaced))


def _visible(character: str) -> str:
    if unicodedata.category(character) == "Zs":
        return " "
    return character.encode("unicode_escape").decode()
