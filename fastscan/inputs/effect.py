"""Settings that change no count, which are refused where somebody made them."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fastscan.exceptions import InputError

if TYPE_CHECKING:
    from fastscan.inputs.experiment import Experiment

__all__ = ["check_effect", "unread_reason"]

_log = logging.getLogger("fastscan")
# Normalisations of a reactor that do not read its distance.
_GIVEN_FLUX = ("total-flux", "fission-flux")


def unread_reason(key: str, unread: Mapping[str, str]) -> str:
    """Why a key is not read; empty where it is."""
    above = (unread[prefix] for prefix in unread if f"{key}.".startswith(f"{prefix}."))
    return next(above, "")


def check_effect(
    experiment: Experiment, own: Mapping[str, Any], unread: Mapping[str, str], where: str
) -> None:
    """Refuse settings of one's own that change no count.

    A distance beside a given flux is let pass with a word: models in which neutrinos oscillate read
    it, and nothing else does.

    Parameters
    ----------
    experiment : Experiment
    own : mapping
        Values of one's own, by dotted key.
    unread : mapping of str to str
        Why keys are not read, from `Experiment.unread`.
    where : str
        Where the settings stand.

    Raises
    ------
    InputError
        A key that is not read, or a key of ``unusual`` whose value is as usual.
    """
    for key, value in own.items():
        reason = unread_reason(key, unread)
        if reason:
            shown = f" = {value:g}" if isinstance(value, float) else ""
            raise InputError(
                f"{key}{shown} changes no count: {reason}",
                where=where,
                hint=f"change that, or leave {key} out",
            )
    for key, source in experiment.source_keys():
        if f"{key}.distance_m" in own and getattr(source, "normalisation", "") in _GIVEN_FLUX:
            _log.warning(
                "%s: %s.distance_m = %g leaves the flux as it is given; only oscillations read it",
                where,
                key,
                own[f"{key}.distance_m"],
            )
    if "unusual" in own:
        unusual = {key for key, _ in experiment.unusual_values()}
        for key in experiment.unusual:
            if key not in unusual:
                raise InputError(
                    f"unusual lists {key!r}, which is in its usual range or is not given",
                    where=where,
                    hint="leave it out of the list",
                )
