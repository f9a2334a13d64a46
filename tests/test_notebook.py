"""The notebook in docs/ runs as it stands, quietly, and shows what it says."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parent.parent / "docs" / "tour.ipynb"
TABLES = [
    "predict(", 'limit("g", mass_mev=10.0)', "bayes", "feldman-cousins", "plane", "boundary",
    "to_dataset", "best_fit([", "posterior", "impacts", "sensitivity", "coverage",
]  # fmt: skip


@pytest.fixture(scope="module")
def cells(tables, tmp_path_factory):
    notebook = nbformat.read(NOTEBOOK, 4)
    folder = tmp_path_factory.mktemp("notebook")
    client = NotebookClient(
        notebook, timeout=240, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    )
    with pytest.MonkeyPatch.context() as patch:
        # As a notebook has it; the tests draw without a display.
        patch.setenv("MPLBACKEND", "module://matplotlib_inline.backend_inline")
        client.execute()
    assert list(folder.iterdir()) == []
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def shown(cell, kind):
    return [out["data"][kind] for out in cell.outputs if kind in out.get("data", {})]


def test_nothing_is_printed(cells):
    streams = [out for cell in cells for out in cell.outputs if out.output_type == "stream"]
    assert streams == []


@pytest.mark.parametrize("asked", TABLES)
def test_results_are_tables(cells, asked):
    cell = next(c for c in cells if asked in c.source and shown(c, "text/html"))
    (page,) = shown(cell, "text/html")
    assert "<table" in page or "xr-wrap" in page


def test_figures_are_drawn(cells):
    drawn = [picture for cell in cells for picture in shown(cell, "image/png")]
    assert len(drawn) == 3
    assert all(len(picture) > 20_000 for picture in drawn)


def test_other_programs_find_the_minimum(cells):
    (cell,) = (c for c in cells if "iminuit.Minuit" in c.source)
    found, exact = map(float, shown(cell, "text/plain")[0].strip("()").split(","))
    assert found == pytest.approx(exact, abs=1e-3)


def test_outputs_are_not_committed():
    notebook = nbformat.read(NOTEBOOK, 4)
    assert all(cell.outputs == [] for cell in notebook.cells if cell.cell_type == "code")
