"""``fastscan coverage`` prints a table, JSON and CSV of the same numbers."""

import csv
import json


def test_table_json_and_csv_agree(run, tmp_path):
    words = ("coverage", "magnetic-moment", "--toys", "100", "--seed", "2")
    outcome = run(*words, "--json", "-o", "x.csv")
    assert outcome.code == 0
    found = json.loads(outcome.out)
    sources = [point["source"] for point in found["points"]]
    assert sources[0] == "own limit"
    assert {"C25", "A25"} <= set(sources)
    lines = (tmp_path / "here" / "x.csv").read_text().splitlines()
    rows = [line for line in lines if not line.startswith("#")]
    table = list(csv.DictReader(rows))
    assert len(table) == len(found["points"])
    for row, point in zip(table, found["points"], strict=True):
        assert float(row["wilks"]) == point["shares"]["wilks"]["value"]
        assert float(row["cls_error"]) == float(f"{point['shares']['cls']['error']:.12g}")
    printed = run(*words).out
    assert f"{100 * found['points'][0]['shares']['wilks']['value']:.1f}" in printed


def test_an_existing_table_is_kept(run, tmp_path):
    (tmp_path / "here" / "x.csv").write_text("precious")
    outcome = run("coverage", "magnetic-moment", "--toys", "50", "-o", "x.csv")
    assert outcome.code == 2
    assert (tmp_path / "here" / "x.csv").read_text() == "precious"
