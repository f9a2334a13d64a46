"""``fastscan experiments``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from fastscan.cli.common import complete_experiment, example_command, json_option
from fastscan.cli.output import bold, print_json, show

if TYPE_CHECKING:
    from fastscan.inputs import Systematics


@example_command("experiments", "fastscan experiments --show conus-plus")
@click.option(
    "--show",
    "shown",
    metavar="NAME",
    shell_complete=complete_experiment,
    help="Print the TOML file of one, to copy and change.",
)
@json_option
def command(shown: str | None, as_json: bool) -> None:
    """List the experiments that come with fastscan.

    Your own is a TOML file beside its CSV files, named by its path wherever --experiment is taken;
    --show prints one to start from.
    """
    from fastscan.exceptions import unknown_name
    from fastscan.inputs import data_directory, experiment_names, load_experiment

    names = experiment_names()
    if shown is not None:
        if shown not in names:
            raise unknown_name("experiment", shown, names, where="--show")
        path = data_directory() / "experiments" / f"{shown}.toml"
        click.echo(path.read_text(encoding="utf-8"), nl=False)
        return
    rows: list[dict[str, Any]] = []
    for name in names:
        experiment = load_experiment(name)
        edges = experiment.observation.edges_ev
        exposure = float(sum(experiment.exposures))
        rows.append(
            {
                "experiment": name,
                "title": experiment.title,
                "description": experiment.description,
                "source": experiment.source,
                "bins": len(edges) - 1,
                "range_ev": [float(edges[0]), float(edges[-1])],
                "detectors": [d.name for d in experiment.detectors],
                "exposure_kg_d": exposure if experiment.quantity == "flux" else None,
                "flavours": list(dict.fromkeys(c.flavour for c in experiment.components)),
                "sigma_alpha": experiment.systematics.sigma_alpha,
                "nuisances": experiment.systematics.names,
                "unit": experiment.observation.unit,
            }
        )
    if as_json:
        print_json(rows)
        return
    from rich.table import Table

    table = Table(
        "experiment", "bins", "eV_ee", "detectors", "kg d", "nuisances", "what", "source",
        title="experiments",
    )  # fmt: skip
    for row in rows:
        systematics = load_experiment(row["experiment"]).systematics
        low, high = row["range_ev"]
        table.add_row(
            bold(row["experiment"]),
            str(row["bins"]),
            f"{low:g}-{high:g}",
            ", ".join(row["detectors"]),
            "" if row["exposure_kg_d"] is None else f"{row['exposure_kg_d']:.0f}",
            _nuisances(systematics),
            row["description"],
            row["source"],
        )
    show(table)


def _nuisances(systematics: Systematics) -> str:
    """Few words: the normalisation's size, and how many pulls there are."""
    pulls = len(systematics.pulls)
    words = [] if systematics.sigma_alpha is None else [f"alpha {systematics.sigma_alpha:.3g}"]
    return ", ".join([*words, *([f"{pulls} pulls"] if pulls else [])])
