"""README's one table says what the results say."""

from __future__ import annotations

import json
from pathlib import Path

from documents import render_document
from overview_table import OVERVIEW

RESULTS = Path(__file__).resolve().parents[2] / "results"


def rows_of(folder: Path) -> dict[str, str]:
    """Measure -> figure."""
    marked = "<!-- table: overview figures -->\n<!-- end of table -->"
    lines = render_document(marked, folder, {"overview": OVERVIEW}).splitlines()[3:-1]
    return {cells[1]: cells[2] for cells in ([cell.strip() for cell in line.split("|")] for line in lines)}


def test_four_rows_hold_the_figures_of_the_results() -> None:
    rows = rows_of(RESULTS)
    unseen = json.loads((RESULTS / "cross-validation.json").read_text("utf-8"))["strangers"]
    right = unseen["judgements"]["exercise_clips"]
    counted = unseen["repetitions"]["all"]
    assert len(rows) == 4
    assert f"{100 * right['accuracy']['value']:.1f} %" in rows["accuracy on unseen subjects"]
    assert f"of {right['items']} clips" in rows["accuracy on unseen subjects"]
    assert f"{100 * counted['within_one']['value']:.1f} %" in rows["counting, unseen subjects"]
    assert f"{counted['relative_error']['value']:.2f}" in rows["counting, unseen subjects"]


def test_cost_is_a_span_over_the_machines_and_size_is_in_megabytes(tmp_path: Path) -> None:
    (tmp_path / "cross-validation.json").write_bytes((RESULTS / "cross-validation.json").read_bytes())
    for name, frame_ms in (("a", 2.04), ("b", 3.26)):
        (tmp_path / f"benchmark-{name}.csv").write_text(
            "part,name,value,unit,low,high,repetitions,text\n"
            "run,model,,,,,,default\nrun,quick,,,,,,no\nmachine,processor,,,,,,made up\nmachine,cores,,,,,,2\n"
            f"live,live frame,{frame_ms},ms,,,1,\nsize,two graphs,5500000,bytes,,,1,\n"
        )
    rows = rows_of(tmp_path)
    assert rows["cost of a live frame"].startswith("2.0 to 3.3 ms on one core")
    assert rows["size of the model"].startswith("5.5 MB")
