"""Models from outside the package: the files they stand in, and how they are loaded from these.

A model file is a program of the user, and is only ever loaded where the user names it. Its name
and sha256 are kept in whatever its results are stored in; nothing is loaded from there.
"""

from __future__ import annotations

import copyreg
import hashlib
import linecache
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from pathlib import Path, PurePath
from types import FunctionType, ModuleType

from fastscan.exceptions import FastscanError, InputError, unknown_name
from fastscan.models.base import Model

__all__ = ["Source", "load_file", "names_file", "own_code", "source_of"]

_lock = threading.RLock()


@dataclass(frozen=True)
class Source:
    """The text that states a model.

    Attributes
    ----------
    path : str
        Of its file; empty for text that stands in none, as the cell of a notebook.
    text : bytes
    """

    path: str
    text: bytes

    @property
    def file(self) -> str:
        """Name of the file, without its folder."""
        return PurePath(self.path).name

    @cached_property
    def sha256(self) -> str:
        """Of the text."""
        return hashlib.sha256(self.text).hexdigest()


# Of the classes that were loaded from files.
_SOURCES: dict[type, Source] = {}


def names_file(name: str) -> bool:
    """Whether the name of a model is of the form ``FILE.py:Class``."""
    return name.rpartition(":")[0].endswith(".py")


def load_file(name: str) -> type[Model]:
    """Load a model from a file.

    A file is loaded once in a process, as a module whose name is its sha256: one that was edited
    meanwhile is another one.

    Parameters
    ----------
    name : str
        ``FILE.py:Class``.

    Raises
    ------
    InputError
        No such file or class, a class that is no model, or an error in the file itself.
    """
    path, _, word = name.rpartition(":")
    try:
        source = Source(str(Path(path).absolute()), Path(path).read_bytes())
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise InputError(
            f"the model file can not be read: {why}",
            where=path,
            hint="name it as FILE.py:Class",
        ) from error
    module = _loaded(source)
    found = getattr(module, word, None)
    if found is None:
        raise unknown_name("class", word, [kind.__name__ for kind in _stated(module)], where=path)
    if not (isinstance(found, type) and issubclass(found, Model)):
        raise InputError(
            f"{word} is not a model",
            where=path,
            hint="a model is a class derived from fastscan.models.Model",
        )
    if found not in _stated(module):
        raise InputError(
            f"{word} is stated elsewhere, in {found.__module__}",
            where=path,
            hint="name that file, or derive a class of this file from it",
        )
    return found


def source_of(model: type[Model]) -> Source:
    """The text that a model of outside the package stands in.

    That of its file, all of it: what the class calls stands there, too. Of a notebook, the cell.
    The text is empty where it can not be had.
    """
    if model not in _SOURCES:
        path = getattr(sys.modules.get(model.__module__), "__file__", None)
        if path is None:
            functions = [value for value in vars(model).values() if isinstance(value, FunctionType)]
            path = functions[0].__code__.co_filename if functions else ""
        try:
            _SOURCES[model] = Source(str(path), Path(path).read_bytes())
        except (OSError, ValueError):
            return Source("", "".join(linecache.getlines(str(path))).encode())
    return _SOURCES[model]


@contextmanager
def own_code(model: type[Model] | Source, doing: str) -> Iterator[None]:
    """What goes wrong in a model's own code becomes one line with the file and line of it.

    Parameters
    ----------
    model : type or Source
    doing : str
        What was asked of it.

    Raises
    ------
    InputError
        In place of every other error but those of this package.
    """
    try:
        yield
    except FastscanError:
        raise
    except (Exception, SystemExit) as error:
        if isinstance(model, type) and model.__module__.startswith("fastscan.models."):
            # A fault of ours, which keeps its traceback.
            raise
        source = model if isinstance(model, Source) else source_of(model)
        what = f"{type(error).__name__}: {error}"
        where = source.path or "model of this session"
        lines = [
            frame.lineno
            for frame in traceback.extract_tb(error.__traceback__)
            if frame.filename == source.path
        ]
        if isinstance(error, SyntaxError):
            what, lines = f"{type(error).__name__}: {error.msg}", [error.lineno]
        if lines:
            where += f", line {lines[-1]}"
        raise InputError(f"{doing}: {what}", where=where, hint="correct the model") from error


def _loaded(source: Source) -> ModuleType:
    """The module of a text."""
    name = f"fastscan_guest_{source.sha256}"
    with _lock:
        if name in sys.modules:
            return sys.modules[name]
        module = ModuleType(name)
        module.__file__ = source.path
        sys.modules[name] = module
        try:
            with own_code(source, "the model file can not be loaded"):
                exec(compile(source.text, source.path, "exec", dont_inherit=True), vars(module))
        except BaseException:
            del sys.modules[name]
            raise
        for model in _stated(module):
            _SOURCES[model] = source
            copyreg.pickle(model, _reduced)  # type: ignore[arg-type]
        return module


def _stated(module: ModuleType) -> list[type[Model]]:
    """Models that a module states itself."""
    return [
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, Model)
        and value.__module__ == module.__name__
    ]


def _reduced(model: Model) -> tuple[object, ...]:
    """A model for another process, which loads the text before all that is made of it."""
    kind = type(model)
    state = object.__reduce_ex__(model, 2)[2:]
    return (_blank, (_SOURCES[kind], kind.__qualname__), *state)


def _blank(source: Source, name: str) -> Model:
    kind = attrgetter(name)(_loaded(source))
    blank: Model = kind.__new__(kind)
    return blank
