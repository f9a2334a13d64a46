"""``fastscan build``."""

from __future__ import annotations

from typing import Any

import click

from fastscan.cli.common import example_command, json_option, quiet_option, tables_option
from fastscan.cli.output import print_json, progress_bar, say


@example_command("build", "fastscan build conus-plus")
@click.argument("experiments", metavar="[NAME|FILE.toml]...", nargs=-1)
@tables_option
@json_option
@quiet_option
def command(experiments: tuple[str, ...], tables: str | None, as_json: bool, quiet: bool) -> None:
    """Build the response tensors of experiments (all that are shipped, if none is named).

    Other commands do this on first use; a store that is there already is verified and kept.
    """
    from fastscan.inputs import experiment_names, load_experiment
    from fastscan.tensors import FLUX_UNITS, load_response, store_path
    from fastscan.tensors.emission import flux_parts

    rows: list[dict[str, Any]] = []
    for name in experiments or experiment_names():
        experiment = load_experiment(name)
        path = store_path(experiment, tables)
        there = path.exists()
        with progress_bar(f"building {experiment.name}", quiet=quiet) as advance:
            response = load_response(
                experiment, tables, progress=lambda label, done: advance(done, 1.0, label)
            )
        rows.append(
            {
                "experiment": experiment.name,
                "store": str(path),
                "built": not there,
                "size_bytes": response.size_bytes,
                "error_estimate": response.error_estimate,
                f"{response.quantity}_parts_{FLUX_UNITS[response.quantity]}": flux_parts(
                    experiment
                ),
            }
        )
    if as_json:
        print_json(rows)
        return
    for row in rows:
        word = "built" if row["built"] else "verified"
        quantity = "flux" if "flux_parts_per_cm2_s" in row else "fluence"
        parts = row[f"{quantity}_parts_{FLUX_UNITS[quantity]}"]
        whole = sum(parts.values())
        shares = ", ".join(f"{name} {flux / whole:.1%}" for name, flux in parts.items())
        say(
            f"{row['experiment']}: {word}, {row['size_bytes'] / 1e6:.2f} MB, quadrature error "
            f"below {row['error_estimate']:.1e} of the largest bin\n"
            f"  {quantity} {whole:.4g} /cm²{'/s' if quantity == 'flux' else ''}: {shares}\n"
            f"  {row['store']}"
        )
