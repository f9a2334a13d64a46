"""``fastscan predict``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastscan.cli.common import (
    analysis_options,
    example_command,
    force_option,
    json_option,
    make_likelihood,
    out_option,
    quiet_option,
    read_assignments,
)
from fastscan.cli.output import print_json, say, show
from fastscan.cli.words import about_likelihood, analysed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from fastscan.likelihoods import Likelihood, Prediction

    FloatArray = NDArray[np.float64]


@example_command("predict", "fastscan predict vector --set mass_mev=1 --set g=1e-5")
@analysis_options
@out_option("FILE.csv", "Write the counts as pseudo-data, which --data reads.")
@force_option
@json_option
@quiet_option
def command(
    assignments: tuple[str, ...],
    out: str | None,
    force: bool,
    as_json: bool,
    quiet: bool,
    **analysis: Any,
) -> None:
    """Predict the counts of each bin, channel by channel, and their chi2."""
    from fastscan.storage.replacement import check_free

    point = read_assignments(assignments)
    if out is not None:
        check_free(out, overwrite=force)
    likelihood = make_likelihood(**analysis, quiet=quiet)
    prediction = likelihood.predict(**point)
    if out is not None:
        _write(likelihood, prediction, out, force)
    parts = [
        (experiment, part, likelihood.data[bins], likelihood.sigma[bins])
        for experiment, part, bins in zip(
            likelihood.experiments,
            prediction.parts or (prediction,),
            likelihood.bin_slices,
            strict=True,
        )
    ]
    if as_json:
        spectra = [_spectrum(part, data, sigma) for _, part, data, sigma in parts]
        print_json(
            {
                **analysed(likelihood),
                "parameters": prediction.parameters,
                **(
                    spectra[0]
                    if not prediction.parts
                    else {
                        "experiments": {
                            e.name: s for (e, *_), s in zip(parts, spectra, strict=True)
                        }
                    }
                ),
                "chi2": prediction.chi2,
                "alpha_hat": prediction.alpha_hat,
                "pulls": prediction.pulls,
            }
        )
        return
    say(about_likelihood(likelihood, prediction.parameters))
    for experiment, part, data, sigma in parts:
        _print_table(experiment.name, part, data, sigma)
    pulls = ", ".join(f"{name} {pull:+.3f}" for name, pull in prediction.pulls.items())
    if prediction.parts:
        say(f"together: chi2 = {prediction.chi2:.4f}")
    if tuple(prediction.pulls) != ("normalisation",):
        say(f"pulls in standard deviations: {pulls}")


def _write(likelihood: Likelihood, prediction: Prediction, out: str, force: bool) -> None:
    from fastscan.inputs.pseudo_data import COLUMNS, pseudo_data_rows
    from fastscan.storage.outputs import write_text
    from fastscan.storage.tables import table_text

    edges = [experiment.observation.edges_ev for experiment in likelihood.experiments]
    about = {
        "content": f"expected counts, {prediction.unit}",
        "analysis": about_likelihood(likelihood, prediction.parameters),
    }
    text = table_text(about, COLUMNS, pseudo_data_rows(edges, prediction.total))
    write_text(Path(out), text, overwrite=force)


def _spectrum(part: Prediction, data: FloatArray, sigma: FloatArray) -> dict[str, Any]:
    return {
        "edges_ev": part.edges_ev,
        "unit": part.unit,
        "cevns": part.cevns,
        "eves": part.eves,
        "total": part.total,
        "by_flavour": part.by_flavour,
        "observed": data,
        "sigma": sigma,
    }


def _print_table(experiment: str, part: Prediction, data: FloatArray, sigma: FloatArray) -> None:
    from rich.table import Table

    table = Table(
        title=experiment,
        title_justify="left",
        caption=f"{part.unit}; chi2 = {part.chi2:.4f}, alpha = {part.alpha_hat:+.4f}",
    )
    for column in ("eV_ee", "CEvNS", "EvES", "total", "observed"):
        table.add_column(column, justify="right")
    edges = part.edges_ev
    rows = zip(edges[:-1], edges[1:], part.cevns, part.eves, part.total,
               data, sigma, strict=True)  # fmt: skip
    for low, high, cevns, eves, total, seen, error in rows:
        table.add_row(
            f"{low:g}-{high:g}",
            f"{cevns:.5g}",
            f"{eves:.4g}",
            f"{total:.5g}",
            f"{seen:.2f} ± {error:.2f}",
        )
    table.add_section()
    table.add_row(
        "sum",
        f"{part.cevns.sum():.6g}",
        f"{part.eves.sum():.4g}",
        f"{part.total.sum():.6g}",
        f"{data.sum():.2f}",
    )
    show(table)
