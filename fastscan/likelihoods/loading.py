"""Likelihoods by name: what the command line and most programs start from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fastscan.counts import Nuisances
from fastscan.exceptions import InputError
from fastscan.inputs import Experiment, JointExperiment, load_experiments
from fastscan.likelihoods.likelihood import Likelihood
from fastscan.models import Model, get_model
from fastscan.tensors import Response, load_response

__all__ = ["likelihood", "make_likelihood"]

FloatArray = NDArray[np.float64]
Named = str | Path | Experiment


def likelihood(
    model: str,
    experiment: Named | Sequence[Named] = "conus-plus",
    *,
    channels: str = "both",
    sigma_alpha: float | None = None,
    shared: Sequence[str] = (),
    tables: str | Path | None = None,
    **options: object,
) -> Likelihood:
    """Likelihood of a model, by name, in an experiment, by name or by the path of its TOML.

    Parameters
    ----------
    model : str
        One of `fastscan.model_names`, or ``FILE.py:Class`` for a model of one's own.
    experiment : str, path or Experiment, or several of them
        One experiment, or a TOML file that names several to be fitted together. Several are fitted
        together, too.
    channels : {"both", "cevns", "eves"}
    sigma_alpha : float, optional
        Relative uncertainty of the normalisation, instead of the experiment's nuisances.
    shared : sequence of str
        Nuisances that are one and the same in all of several experiments that have them.
    tables : path, optional
        Directory of the tensor stores; tensors are built there on first use.
    **options
        Options of the model, such as ``charges="b-3l_e"``.

    Raises
    ------
    InputError
        Any of the names or values is not known or not possible.
    """
    return make_likelihood(
        get_model(model, **options),
        experiment,
        channels=channels,
        sigma_alpha=sigma_alpha,
        shared=shared,
        tables=tables,
    )


def make_likelihood(
    model: Model,
    experiment: Named | Sequence[Named],
    *,
    channels: str = "both",
    sigma_alpha: float | None = None,
    shared: Sequence[str] = (),
    tables: str | Path | None = None,
    flux_weights: Callable[[Response], FloatArray] | None = None,
    progress: Callable[[str, float], None] | None = None,
) -> Likelihood:
    """Likelihood of a model: reads experiments, loads or builds all tensors they need.

    Parameters
    ----------
    model : Model
    experiment, channels, sigma_alpha, shared, tables
        As for `likelihood`.
    flux_weights : callable, optional
        Gives the factor on the flux of each antineutrino-energy bin of a response.
    progress : callable, optional
        Called with what is being built and the fraction of it that is done.

    Raises
    ------
    InputError
        Any of the names or values is not known or not possible.
    """
    if isinstance(experiment, (list, tuple)):
        if len(experiment) != 1:
            every = [
                make_likelihood(
                    model,
                    one,
                    channels=channels,
                    sigma_alpha=sigma_alpha,
                    tables=tables,
                    flux_weights=flux_weights,
                    progress=progress,
                )
                for one in experiment
            ]
            return Likelihood.joined(every, shared=shared)
        (experiment,) = experiment
    assert isinstance(experiment, (str, Path, Experiment))
    if shared:
        raise InputError(
            f"{', '.join(shared)} can not be shared: there is one experiment",
            where="shared nuisances",
            hint="name another experiment, or share nothing",
        )
    named: Experiment | JointExperiment
    if isinstance(experiment, Experiment):
        named, experiments = experiment, [experiment]
    else:
        named, experiments = load_experiments(experiment)
    parts = []
    for each in experiments:
        response = load_response(each, tables, progress=progress)
        nuisances = None
        if sigma_alpha is None:
            nuisances = Nuisances.load(each, tables, progress=progress)
        parts.append(
            Likelihood(
                model,
                each,
                response,
                channels=channels,
                sigma_alpha=sigma_alpha,
                flux_weights=None if flux_weights is None else flux_weights(response),
                nuisances=nuisances,
            )
        )
    if isinstance(named, JointExperiment):
        return Likelihood.joined(parts, shared=named.shared, experiment=named)
    return parts[0]
