"""Errors the project raises on purpose: one line each: what, where, and how to put it right."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence

from fastscan.text import for_terminal
from fastscan.vocabulary import in_python

__all__ = [
    "FastscanError",
    "InputError",
    "Interrupted",
    "RunError",
    "StoreError",
    "check_method",
    "unknown_name",
]


class FastscanError(Exception):
    """Base of all errors raised on purpose.

    Parameters
    ----------
    what : str
        What is wrong.
    where : str, optional
        File, line, key or parameter it was found at.
    hint : str, optional
        What the user can do about it.
    """

    exit_code = 1

    def __init__(self, what: str, *, where: str = "", hint: str = "") -> None:
        self.what, self.where, self.hint = what, where, hint
        super().__init__(what, where, hint)

    def __reduce__(self) -> tuple[object, ...]:
        # Errors cross process boundaries; the default would drop the keywords.
        return _rebuild, (type(self), self.what, self.where, self.hint)

    def __str__(self) -> str:
        return in_python(self.line)

    @property
    def line(self) -> str:
        """The error in one line, for the command line; as a string it speaks of arguments."""
        text = self.what
        if self.where:
            text += f" ({self.where})"
        if self.hint:
            text += f"; {self.hint}"
        return for_terminal(" ".join(text.split()))


def _rebuild(kind: type[FastscanError], what: str, where: str, hint: str) -> FastscanError:
    return kind(what, where=where, hint=hint)


class InputError(FastscanError):
    """The user's input can not be used; nothing was written."""

    exit_code = 2


class StoreError(InputError):
    """A stored tensor or scan is damaged, half-written, foreign or already there."""


class RunError(FastscanError):
    """The work failed on its way (full disk, dead worker); finished parts are kept."""


class Interrupted(KeyboardInterrupt):
    """Ctrl-C, or SIGTERM on the command line, that says what is done by then."""


def _nearest(name: str, names: Sequence[str]) -> str | None:
    """The name that was probably meant: alike but for case, or the only one that it is part of."""
    lower = {known.lower().replace("-", "_"): known for known in names}
    word = name.lower().replace("-", "_")
    close = difflib.get_close_matches(word, lower, n=1)
    if not close and len(word) > 2:
        close = [known for known in lower if word in known]
    return lower[close[0]] if len(close) == 1 else None


def check_method(method: str, uses: Mapping[str, Sequence[str]], chosen: Sequence[str]) -> None:
    """Check the name of a method, and that every argument that was given does something with it.

    Parameters
    ----------
    method : str
    uses : mapping of str to sequence of str
        Methods, and the arguments that each uses.
    chosen : sequence of str
        Arguments that were given.

    Raises
    ------
    InputError
        An unknown method, or an argument that would do nothing.
    """
    if method not in uses:
        raise unknown_name("method", method, uses, where="--method")
    for name in chosen:
        if name not in uses[method]:
            others = [other for other, used in uses.items() if name in used]
            hint = f"leave it out, or use --method {' or '.join(others)}" if others else ""
            raise InputError(
                f"--{name.replace('_', '-')} does nothing with --method {method}",
                where="--method",
                hint=hint or "leave it out",
            )


def unknown_name(kind: str, name: str, known: Iterable[str], *, where: str = "") -> InputError:
    """An `InputError` for a name that is not in a closed list, with the nearest one suggested."""
    names = sorted(known)
    close = _nearest(name, names)
    hint = f"did you mean {close!r}?" if close else f"known: {', '.join(names)}"
    if not names:
        hint = "there is none"
    return InputError(f"unknown {kind} {name!r}", where=where, hint=hint)
