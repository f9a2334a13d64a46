"""``fastscan plot``."""

from __future__ import annotations

from pathlib import Path

import click

from fastscan.cli.common import (
    LocalPath,
    beside,
    example_command,
    force_option,
    json_option,
    name_own_model,
    out_option,
    own_model_option,
    quiet_option,
)
from fastscan.cli.output import print_json, say, warn


@example_command("plot", "fastscan plot bl.zarr --cl 0.90 -o bl.pdf")
@click.argument("store", metavar="DIR.zarr", type=LocalPath())
@click.option(
    "--cl",
    type=float,
    metavar="X",
    help="Confidence level [default: 0.90; a Feldman-Cousins scan has its own].",
)
@click.option(
    "--dof",
    type=int,
    metavar="N",
    help="Degrees of freedom [default: the number of scanned parameters].",
)
@out_option("FILE.png|pdf|svg", "Where to write [default: DIR.png beside the scan].")
@click.option(
    "--overlay",
    "overlays",
    metavar="FILE.csv",
    type=LocalPath(),
    multiple=True,
    help="A curve of others for the plane; may be given several times.",
)
@own_model_option
@force_option
@json_option
@quiet_option
def command(
    store: str,
    cl: float | None,
    dof: int | None,
    out: str | None,
    overlays: tuple[str, ...],
    model: str | None,
    force: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Draw a scan: delta chi2 of one parameter, or the plane of two.

    A mass and a coupling give the region excluded at the confidence level; two couplings give the
    regions allowed at 1 sigma and at the confidence level. A Feldman-Cousins scan gives its region
    beside that of Wilks' theorem.

    An overlay is a CSV file with the lines "# label: WORDS" (mathtext between dollar signs) and
    "# source: WORDS" on top, and two
    columns named after the axes of the scan and in their units, such as mass_mev,g. It may also
    have "# style: region" (a line otherwise), and blank lines between pieces.
    """
    from fastscan.inputs import Overlay
    from fastscan.plotting import plot_scan
    from fastscan.plotting.scan import scan_edges
    from fastscan.scan import ScanResult
    from fastscan.scan.construction_store import is_construction

    path = Path(out) if out is not None else beside(store, ".png")
    if is_construction(store):
        from fastscan.cli.contour import check_level
        from fastscan.plotting.construction import plot_construction
        from fastscan.scan.construction import ConstructionResult
        from fastscan.scan.construction_contour import construction_contour

        construction = ConstructionResult.open(store)
        name_own_model(model, construction.header)
        words = construction.words
        contour = construction_contour(construction)
        touches, warnings = contour.touches, contour.warnings
        check_level(store, construction.cl, cl)
        plot_construction(
            construction,
            path,
            dof=2 if dof is None else dof,
            overlays=[Overlay.read(name) for name in overlays],
            overwrite=force,
        )
    else:
        result, level = ScanResult.open(store), 0.90 if cl is None else cl
        name_own_model(model, result.header)
        words = result.words
        plot_scan(
            result,
            path,
            cl=level,
            dof=dof,
            overlays=[Overlay.read(name) for name in overlays],
            overwrite=force,
        )
        touches, warnings = scan_edges(result, level, dof)
    warn(warnings)
    if as_json:
        about = [touch.to_dict() for touch in touches]
        print_json({"file": str(path), "touches": about, "warnings": warnings})
    elif not quiet:
        say(words)
        say(f"figure in {path}")
