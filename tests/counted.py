"""A made-up counting experiment: eight bins of a CCD with 15 events on a background of 9.8."""

from pathlib import Path

import numpy as np

EDGES = (160.0, 170.0, 180.0, 190.0, 210.0, 230.0, 250.0, 290.0, 350.0)
SEEN = (4, 3, 1, 3, 1, 2, 0, 1)
BACKGROUND = (1.6, 1.5, 1.3, 1.4, 1.2, 1.1, 0.9, 0.8)


def table(path: Path, names: str, *columns, edges=EDGES) -> str:
    """A table of the bins, and its name."""
    rows = zip(edges[:-1], edges[1:], *columns, strict=True)
    lines = [",".join(repr(float(value)) for value in row) for row in rows]
    path.write_text("\n".join([f"low_ev,high_ev,{names}", *lines, ""]))
    return path.name


def ccd(
    folder: Path,
    *,
    name: str = "ccd",
    seen=SEEN,
    background=BACKGROUND,
    size: str = "sigma = 0.15",
    tilt: float = 0.2,
    expectation: float = 4.0,
    sigma_alpha: float | None = 0.2,
    pulls: str = "",
    observation: str = "",
    edges=EDGES,
) -> Path:
    """Write the experiment: its TOML file.

    Parameters
    ----------
    folder : path
    size : str
        What is known of the size of the background: ``sigma = …``, ``free = true`` or nothing.
    tilt : float
        Relative change of the first and last bin of the background; 0: no variation.
    expectation : float
        Counts of the Standard Model.
    """
    folder.mkdir(parents=True, exist_ok=True)
    seen, background = np.asarray(seen, dtype=float), np.asarray(background, dtype=float)
    text = f"""
extends = "conus-plus"
name = "{name}"
{'unusual = ["observation.sm_expectation"]' if expectation < 1e-3 else ""}

[observation]
likelihood = "poisson"
file = "{table(folder / f"{name}.csv", "counts", seen, edges=edges)}"
normalisation = "total"
sm_expectation = {expectation!r}
{observation}

[systematics]
{"" if sigma_alpha is None else f"sigma_alpha = {sigma_alpha!r}"}
{pulls}
"""
    if background.any():
        text += f"""
[[backgrounds]]
name = "dark current"
file = "{table(folder / f"{name}-background.csv", "counts", background, edges=edges)}"
{size}
"""
        if tilt:
            change = tilt * background * np.linspace(-1.0, 1.0, background.size)
            file = table(
                folder / f"{name}-tilt.csv",
                "down,up",
                background - change,
                background + change,
                edges=edges,
            )
            text += f"""
[[backgrounds.variations]]
name = "tilt"
file = "{file}"
"""
    path = folder / f"{name}.toml"
    path.write_text(text)
    return path
