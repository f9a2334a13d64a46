"""One vocabulary for the command line and for Python.

Errors and hints name an argument by its flag, as ``--profile``, wherever they are raised: it can
not be mistaken for another word of the sentence. The command line shows it as it is; in Python it
becomes the argument of that name, by the table here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

__all__ = ["LIMIT_METHODS", "SCAN_METHODS", "argument", "in_python"]

# Flags whose argument in Python has another name; all others are spelt alike, --one-sided as
# one_sided.
_ARGUMENTS: Mapping[str, str] = {
    "--axis": "axes",
    "--force": "overwrite",
    "--profile": "profiled",
    "--set": "given",
    "--share": "shared",
    "-o": "out",
}
# Methods, and the arguments that each uses beside those that all do.
LIMIT_METHODS: Mapping[str, tuple[str, ...]] = {
    "wilks": ("one_sided",),
    "feldman-cousins": ("toys", "seed"),
    "cls": ("toys", "seed"),
    "bayes": ("prior",),
}
SCAN_METHODS: Mapping[str, tuple[str, ...]] = {
    "wilks": (),
    "feldman-cousins": ("cl", "toys", "precision", "seed"),
}

_FLAG = re.compile(r"(?<![\w-])(--[a-z][a-z-]*[a-z]|-o)(?![\w-])")
_COMMAND = re.compile(r"\bcommand\b|\bfastscan [a-z]")
# Of a parameter, or of NAME=VALUE: in Python arguments have such names.
_NAMED = re.compile(r"(?<![\w-])--(?:set|axis)(?: |=)(?=\w)")


def argument(flag: str) -> str:
    """The argument in Python of a flag of the command line.

    Examples
    --------
    >>> argument("--profile"), argument("--block-points")
    ('profiled', 'block_points')
    """
    return _ARGUMENTS.get(flag) or flag.lstrip("-").replace("-", "_")


def in_python(text: str) -> str:
    """A sentence with the arguments in it as they are called in Python.

    A clause that speaks of a command, as of the one that made a store, keeps its flags.

    Examples
    --------
    >>> in_python("give it, as in --set g=1e-5, or --profile it")
    'give it, as in g=1e-5, or profiled it'
    """
    if "-" not in text:
        return text
    return "; ".join(
        clause
        if _COMMAND.search(clause)
        else _FLAG.sub(lambda found: argument(found[1]), _NAMED.sub("", clause))
        for clause in text.split("; ")
    )
