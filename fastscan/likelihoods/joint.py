"""What experiments have to be like to be fitted together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fastscan.exceptions import InputError
from fastscan.inputs import Experiment, check_distinct

if TYPE_CHECKING:
    from fastscan.likelihoods.likelihood import Likelihood

__all__ = ["check_parts", "check_shared"]


def check_parts(parts: Sequence[Likelihood], names: Sequence[str]) -> None:
    """Refuse experiments that can not be fitted together."""
    first = parts[0]
    for part in parts[1:]:
        same = type(part.model) is type(first.model) and part.channels == first.channels
        if not same or part.model.options() != first.model.options():
            raise InputError(
                "likelihoods of different models or channels",
                where=f"{first.experiment.name}, {part.experiment.name}",
                hint="join those of one model, its options and channels",
            )
        if part.model.parameters != first.model.parameters:
            raise InputError(
                f"model {first.model.name!r} has other parameters in each of the targets",
                where=f"{first.experiment.name}, {part.experiment.name}",
                hint="fit experiments of one target and form factor together",
            )
    for name in names:
        if names.count(name) > 1:
            raise InputError(
                f"{names.count(name)} of the experiments are called {name!r}",
                where="joint likelihood",
                hint="give each its own name = '…'",
            )
    seen = [part.experiment for part in parts if not part.data_source]
    check_distinct([each for each in seen if isinstance(each, Experiment)], "joint likelihood")


def check_shared(parts: Sequence[Likelihood], shared: Sequence[str]) -> None:
    """Refuse nuisances that can not be one and the same in several experiments."""
    own = [part.nuisances.names for part in parts]
    for name in shared:
        holders = sum(name in names for names in own)
        if holders < 2:
            known = sorted({n for names in own for n in names})
            raise InputError(
                f"shared nuisance {name!r} is known to {holders} of the experiments",
                where="shared nuisances",
                hint=f"share what at least two have; there are: {', '.join(known)}",
            )
        for part in parts:
            others = part.nuisances.correlated_with(name)
            if others:
                raise InputError(
                    f"shared nuisance {name!r} is correlated with {', '.join(others)}",
                    where=part.experiment.name,
                    hint="split what they have in common off as a nuisance of its own, "
                    "and share that",
                )
