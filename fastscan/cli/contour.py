"""``fastscan contour``."""

from __future__ import annotations

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


@example_command("contour", "fastscan contour bl.zarr --cl 0.90 -o bl.csv")
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
    help="Degrees of freedom, 1 or 2 [default: 2]; of a scan by Wilks.",
)
@out_option("FILE.csv|json|nc", "Where to write [default: DIR.csv beside the scan].")
@own_model_option
@force_option
@json_option
@quiet_option
def command(
    store: str,
    cl: float | None,
    dof: int | None,
    out: str | None,
    model: str | None,
    force: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Write the contour of a two-dimensional scan as CSV, with a header that says what it is.

    The level is counted from the lowest chi2 there is, on the grid or off it, and chi2 at the
    vertices is at the level, however coarse the grid, where the scan's likelihood can be had.

    Of a Feldman-Cousins scan: where chi2 above its minimum is the critical value of each point,
    interpolated between the points.
    """
    from fastscan.exceptions import InputError
    from fastscan.results import check_result_path
    from fastscan.scan import ScanResult, find_contour
    from fastscan.scan.construction_store import is_construction

    path = check_result_path(out if out is not None else beside(store, ".csv"), force=force)
    if is_construction(store):
        from fastscan.scan.construction import ConstructionResult
        from fastscan.scan.construction_contour import construction_contour

        construction = ConstructionResult.open(store)
        name_own_model(model, construction.header)
        check_level(store, construction.cl, cl)
        if dof is not None:
            raise InputError(
                "critical values from toys have no degrees of freedom",
                where="--dof",
                hint="leave it out",
            )
        contour = construction_contour(construction)
    else:
        result = ScanResult.open(store)
        name_own_model(model, result.header)
        level = 0.90 if cl is None else cl
        contour = find_contour(result, level, 2 if dof is None else dof)
    contour.write(path, force=force)
    warn(contour.warnings)
    if as_json:
        print_json({"file": str(path), **contour.to_dict()})
    elif not quiet:
        say(contour.words)
        lines = len(contour.lines)
        pieces = "1 line" if lines == 1 else f"{lines} lines"
        say(f"{pieces} in {path}")


def check_level(store: str, own: float, asked: float | None) -> None:
    """Check that a confidence level is the one critical values were made for.

    Raises
    ------
    InputError
        It is another one.
    """
    if asked is not None and asked != own:
        from fastscan.exceptions import InputError

        raise InputError(
            f"critical values are for {100 * own:g} % C.L. alone",
            where=store,
            hint="leave out --cl, or scan again with another one",
        )
