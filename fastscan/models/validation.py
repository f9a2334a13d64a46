"""What a model has to be like before anything is made of it: one line tells what is not."""

from __future__ import annotations

import difflib
import inspect
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastscan.exceptions import FastscanError, InputError, unknown_name
from fastscan.models.base import Model, Parameter, Recoils
from fastscan.models.flux_weights import Energies, kinematic_symbols
from fastscan.models.guests import own_code
from fastscan.models.polynomial import Monomial, Polynomial

__all__ = ["check_class", "check_functions", "check_model", "checked_terms"]

FloatArray = NDArray[np.float64]

# Rows of shape parameters that functions are tried at.
_ROWS = 2
# Names of models become names of files, those of parameters stand before an equals sign.
_MODEL_NAME = re.compile(r"\w[\w.+-]*")
_PARAMETER_NAME = re.compile(r"[A-Za-z_]\w*")
_BASE = "(3, {t}): of E**-n, n = 0, 1, 2, at each of the {t} recoil nodes"

# Models that were found in order: class, options.
_checked: set[tuple[type[Model], str]] = set()


def check_class(model: object) -> None:
    """Check what the class of a model states: names, title, parameters.

    Raises
    ------
    InputError
        No model, one without a name, a title, parameters or a cross section, or with a parameter
        that is none.
    """
    if not (isinstance(model, type) and issubclass(model, Model)):
        raise InputError(
            f"{model!r} is not a model",
            where="model",
            hint="a model is a class derived from fastscan.models.Model",
        )
    where = f"model {model.__qualname__}"
    if inspect.isabstract(model):
        raise InputError(
            "it states no cross_section", where=where, hint="give it that method, of recoils"
        )
    for key in ("name", "title", "reference"):
        value = getattr(model, key, None)
        if not isinstance(value, str) or not value.strip():
            raise InputError(
                f"its {key} is {_shown(value)}",
                where=where,
                hint=f'state it in the class, as in {key} = "…"',
            )
    if not _MODEL_NAME.fullmatch(model.name):
        raise InputError(
            f"its name {model.name!r} is not one word",
            where=where,
            hint="use letters, digits and dashes",
        )
    _check_parameters(model, f"model {model.name}")


def check_model(model: Model, every: Sequence[Recoils]) -> None:
    """Check a model once: its options, and that its terms use what it states, and nothing else.

    Parameters
    ----------
    model : Model
    every : sequence of Recoils
        Of all channels of an experiment, whichever are analysed.

    Raises
    ------
    InputError
        See `check_class`; options that are not those of the constructor, a symbol that is neither a
        coupling nor a function, a function of a wrong shape or that is not finite, or a coupling,
        function or shape parameter that nothing uses.
    """
    key = type(model), _check_options(model)
    if key in _checked:
        return
    check_class(type(model))
    couplings = {p.name for p in model.parameters if p.kind == "coupling"}
    asked = _Asked(model)
    used: set[str] = set()
    stated: set[str] = set()
    whole = True
    for recoils in every:
        if _refuses(model, recoils):
            # It is told where this channel is analysed.
            whole = False
            continue
        functions = _shape_symbols(model, recoils, asked)
        for monomial in _terms(model, recoils):
            for name, _ in monomial:
                if name not in couplings and name not in functions:
                    raise _unknown_symbol(model, recoils, monomial, name, couplings, functions)
                used.add(name)
        stated |= set(functions)
    if whole:
        _check_used(model, stated, used, asked.names)
    _checked.add(key)


def checked_terms(
    model: Model, recoils: Recoils, shape: Sequence[int]
) -> dict[Monomial, FloatArray]:
    """Terms of a cross section, each with its coefficients of E**-n at the recoil nodes.

    Parameters
    ----------
    model : Model
    recoils : Recoils
    shape : sequence of int
        (3, t); a coefficient may also be (3, 1), the same at all nodes, or a plain zero.

    Raises
    ------
    InputError
        A coefficient that has another shape or is not finite.
    """
    terms = {}
    for monomial, value in _terms(model, recoils).items():
        array = np.asarray(value)
        what = ""
        if array.dtype.kind not in "fiub":
            what = f"coefficient of type {array.dtype}"
        elif array.ndim == 0 and array == 0.0:
            array = np.zeros((shape[0], 1))
        elif array.shape not in (tuple(shape), (shape[0], 1)):
            what = f"coefficient of shape {array.shape}"
        elif not np.isfinite(array).all():
            raise InputError(
                f"a coefficient {_not_finite(array)}",
                where=_place(model, recoils, monomial),
                hint="it has to be finite at every recoil energy",
            )
        if what:
            raise InputError(
                what,
                where=_place(model, recoils, monomial),
                hint=f"it has to have the shape {_BASE.format(t=shape[1])}, as those of "
                "recoils.nucleus_vector()",
            )
        terms[monomial] = np.broadcast_to(array.astype(float, copy=False), tuple(shape))
    return terms


def check_functions(
    model: Model,
    recoils: Recoils,
    functions: Mapping[str, object],
    shape: Mapping[str, FloatArray],
    *,
    finite: bool = True,
) -> None:
    """Check values of functions at rows of shape parameters: their shapes, and that all are finite.

    Raises
    ------
    InputError
        One has another shape than (rows, t), or is not finite.
    """
    rows = next((np.size(column) for column in shape.values()), 1)
    expected = rows, recoils.recoil_energy_mev.size
    for name, value in functions.items():
        array = np.asarray(value)
        where = f"model {model.name}, function {name}, {recoils.channel}"
        if array.shape != expected or array.dtype.kind not in "fiub":
            raise InputError(
                f"values of shape {array.shape}, type {array.dtype}",
                where=where,
                hint=f"give real numbers of shape {expected}: (rows of shape parameters, recoil "
                "nodes)",
            )
        good = np.isfinite(array).all(axis=1) if finite else np.array([True])
        if not good.all():
            row = int(good.argmin())
            point = ", ".join(f"{key} = {column[row]:g}" for key, column in shape.items())
            raise InputError(
                f"it {_not_finite(array[row])} at {point}",
                where=where,
                hint="state its limit there, or a minimum and maximum of the parameter",
            )


class _Asked(Mapping[str, FloatArray]):
    """Trial values of the shape parameters, which note those that a model asks for."""

    def __init__(self, model: Model) -> None:
        shapes = [p for p in model.parameters if p.kind == "shape"]
        self._values = {p.name: _trials(p) for p in shapes}
        self.names: set[str] = set()

    def __getitem__(self, name: str) -> FloatArray:
        value = self._values[name]
        self.names.add(name)
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    # As the dict has them that functions are called with later.
    def __or__(self, other: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
        return {**self, **other}

    def copy(self) -> dict[str, FloatArray]:
        return dict(self.items())


def _trials(parameter: Parameter) -> FloatArray:
    """Two values of a shape parameter inside its range, shape (2,)."""
    start = parameter.typical
    return np.clip([start, 2.0 * start if start else 1.0], parameter.minimum, parameter.maximum)


def _shape_symbols(model: Model, recoils: Recoils, asked: _Asked) -> set[str]:
    """Symbols whose values depend on shape parameters: of functions, least energies and weights.

    Everything that a model states as a function of its shape parameters is called here.
    """
    with (
        np.errstate(all="ignore"),
        own_code(type(model), f"functions of model {model.name} fail in {recoils.channel}"),
    ):
        functions = model.functions(recoils, asked)
    if not isinstance(functions, Mapping):
        raise InputError(
            f"functions returns {_shown(functions)}",
            where=f"model {model.name}, {recoils.channel}",
            hint="return a dict of names and arrays",
        )
    columns = {p.name: _trials(p) for p in model.parameters if p.kind == "shape"}
    check_functions(model, recoils, functions, columns)
    with (
        np.errstate(all="ignore"),
        own_code(type(model), f"kinematics of model {model.name} fail in {recoils.channel}"),
    ):
        trial = Energies(np.ones(1), model.name, 1.0)
        thresholds, weights = kinematic_symbols(model, recoils, trial, asked)
    return {*functions, *thresholds, *weights}


def _terms(model: Model, recoils: Recoils) -> Mapping[Monomial, object]:
    with (
        np.errstate(all="ignore"),
        own_code(type(model), f"cross_section of model {model.name} fails in {recoils.channel}"),
    ):
        found = model.cross_section(recoils)
    if not isinstance(found, Polynomial):
        raise InputError(
            f"cross_section returns {_shown(found)}",
            where=f"model {model.name}, {recoils.channel}",
            hint="return a polynomial in symbols, or Polynomial({}) where nothing scatters",
        )
    return found.terms


def _refuses(model: Model, recoils: Recoils) -> bool:
    """Whether a model itself says that it can not do a channel of this experiment."""
    try:
        model.cross_section(recoils)
    except FastscanError:
        return True
    except (Exception, SystemExit):
        # An error in it, which is told where it is called again.
        return False
    return False


def _check_parameters(model: type[Model], where: str) -> None:
    parameters = getattr(model, "parameters", None)
    if not isinstance(parameters, tuple) or not parameters:
        raise InputError(
            f"its parameters are {_shown(parameters)}",
            where=where,
            hint="state a tuple of Parameter",
        )
    seen: set[str] = set()
    for parameter in parameters:
        if not isinstance(parameter, Parameter):
            raise InputError(
                f"a parameter is {_shown(parameter)}", where=where, hint="make it a Parameter(…)"
            )
        at = f"{where}, parameter {parameter.name}"
        for key in ("name", "unit", "symbol", "description"):
            value = getattr(parameter, key)
            if not isinstance(value, str) or not value:
                raise InputError(
                    f"its {key} is {_shown(value)}",
                    where=at,
                    hint='write words; the unit of pure numbers is "1"',
                )
        if not _PARAMETER_NAME.fullmatch(parameter.name):
            raise InputError(
                "its name is not one word", where=at, hint="use letters, digits and underscores"
            )
        if parameter.name in seen:
            raise InputError("it is stated twice", where=at, hint="leave one out")
        seen.add(parameter.name)
        _check_range(parameter, at)
    for name in model.profiled_by_default:
        if name not in seen:
            raise unknown_name("parameter", name, seen, where=f"{where}, profiled_by_default")


def _check_range(parameter: Parameter, where: str) -> None:
    kinds = {"kind": ("coupling", "shape"), "spacing": ("linear", "log")}
    for key, words in kinds.items():
        if getattr(parameter, key) not in words:
            raise unknown_name(key, str(getattr(parameter, key)), words, where=where)
    ends = parameter.minimum, parameter.maximum
    numbers: list[Any] = [*ends, *([] if parameter.default is None else [parameter.default])]
    if any(not isinstance(n, (int, float)) or math.isnan(n) for n in numbers):
        raise InputError(
            f"its default and range are {parameter.default}, {ends[0]} to {ends[1]}",
            where=where,
            hint="give numbers",
        )
    if not ends[0] < ends[1]:
        raise InputError(
            f"its range from {ends[0]:g} to {ends[1]:g} is empty",
            where=where,
            hint="give minimum < maximum",
        )
    if parameter.default is not None:
        parameter.check(parameter.default, where)
    if parameter.kind == "coupling" and parameter.default is None:
        raise InputError(
            "a coupling without a default", where=where, hint="give its value in the Standard Model"
        )
    if parameter.kind == "shape" and parameter.spacing == "log" and ends[0] < 0.0:
        raise InputError(
            f"it may be {ends[0]:g}, which has no logarithm",
            where=where,
            hint='give minimum=0.0 or more, or spacing="linear"',
        )
    if parameter.kind == "shape" and parameter.spacing == "linear" and not np.isfinite(ends).all():
        raise InputError(
            f"evenly spaced from {ends[0]:g} to {ends[1]:g}",
            where=where,
            hint='give a finite minimum and maximum, or spacing="log"',
        )


def _check_options(model: Model) -> str:
    """Check that options and constructor agree; the options as JSON."""
    where = f"model {getattr(model, 'name', type(model).__qualname__)}"
    with own_code(type(model), "its options fail"):
        options = model.options()
    try:
        text = json.dumps(options, sort_keys=True, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"options can not be stored: {error}",
            where=where,
            hint="return numbers, words or lists of these",
        ) from error
    known = set(inspect.signature(type(model)).parameters)
    for name in sorted(known ^ set(options)):
        raise InputError(
            f"option {name!r} is not in {'options()' if name in known else 'the constructor'}",
            where=where,
            hint="state each in both, so that a result says what it was made with",
        )
    return text


def _check_used(model: Model, stated: set[str], used: set[str], asked: set[str]) -> None:
    for parameter in model.parameters:
        name = parameter.name
        if parameter.kind == "coupling" and name not in used:
            raise InputError(
                f"no term uses the coupling {name}",
                where=f"model {model.name}, both channels",
                hint=_misspelt(name, used) or f'use symbol("{name}"), or leave it out',
            )
        if parameter.kind == "shape" and name not in asked:
            raise InputError(
                f"nothing depends on the shape parameter {name}",
                where=f"model {model.name}, both channels",
                hint=f'use shape["{name}"] in functions, or leave it out',
            )
    for name in sorted(stated - used):
        raise InputError(
            f"no term uses the function {name}",
            where=f"model {model.name}, both channels",
            hint=_misspelt(name, used) or f'use symbol("{name}"), or leave it out',
        )


def _unknown_symbol(
    model: Model,
    recoils: Recoils,
    monomial: Monomial,
    name: str,
    couplings: set[str],
    functions: set[str],
) -> InputError:
    where = _place(model, recoils, monomial)
    if name in {p.name for p in model.parameters}:
        return InputError(
            f"{name} is a shape parameter",
            where=where,
            hint="counts are no polynomials in it: let a function depend on it",
        )
    known = couplings | functions
    error = unknown_name("symbol", name, known, where=where)
    kinds = "a coupling" if not functions else "a coupling or a function"
    error.hint += f" (every symbol is {kinds})"
    return error


def _misspelt(name: str, used: set[str]) -> str:
    close = difflib.get_close_matches(name, used, n=1)
    return f"is {close[0]!r} meant?" if close else ""


def _place(model: Model, recoils: Recoils, monomial: Monomial) -> str:
    words = "*".join(name if power == 1 else f"{name}**{power}" for name, power in monomial)
    return f"model {model.name}, {recoils.channel}, term {words or '1'}"


def _not_finite(array: NDArray[Any]) -> str:
    # What overflows times zero is not a number.
    return "overflows" if np.isinf(array).any() else "is not a number"


def _shown(value: object) -> str:
    """A value that is not what it should be, shortly."""
    if value is None:
        return "missing"
    if isinstance(value, (str, int, float)):
        return repr(value)
    return f"of type {type(value).__name__}"
