"""Tables of the documents say what results say, and nothing between their markers is made up."""

from __future__ import annotations

import copy
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

import tables
from documents import render_document
from exerlitenet.errors import InputError
from exerlitenet.reproduction.results import NO_WEIGHTS
from exerlitenet.reproduction.verdicts import verdicts
from made_up_study import made_up_results, split_of

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def results() -> dict[str, Any]:
    return made_up_results()


def test_the_documents_say_what_the_results_say() -> None:
    """Run `python tools/tables.py` when this fails."""
    for path in (*tables.documents(), *tables.pages()):
        assert tables.written(path) == path.read_text("utf-8"), path.name


@pytest.fixture
def project(tmp_path: Path, results: dict[str, Any]) -> Path:
    (tmp_path / "results").mkdir()
    (tmp_path / "docs").mkdir()
    results["rows"] = [asdict(row) for row in verdicts(results)]
    (tmp_path / "results" / "reproduction.json").write_text(json.dumps(results))
    names = tuple(tables.STUDY.tables)
    marked = "".join(f"<!-- table: reproduction {name} -->\n<!-- end of table -->\n\n" for name in names)
    (tmp_path / "README.md").write_text(f"Before.\n\n{marked}After.\n")
    (tmp_path / "docs" / "other.md").write_text("No table.\n")
    return tmp_path


def test_tables_are_written_and_differences_found(
    project: Path, results: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    main = tables.main
    readme = project / "README.md"
    assert main(["--check"], project) == 1
    said = capsys.readouterr().out
    assert "README.md: differs" in said
    assert "results/reproduction.html: differs" in said
    assert main([], project) == 0
    text = readme.read_text()
    assert text.startswith("Before.\n")
    assert text.endswith("After.\n")
    for shown in (
        "| proposed | random split | 99.0 % [97.0, 100.0] |",
        NO_WEIGHTS,
        "+29.0 points",
        "| 553 MB |",
    ):
        assert shown in text
    written = [part for part in text.split("\n\n") if part.startswith("<!-- table")]
    assert len(written) == len(tables.STUDY.tables) == 10
    for table in written:
        assert len({line.count("|") for line in table.splitlines() if line.startswith("|")}) == 1, table
    assert "99.0 %" in (project / "results" / "reproduction.html").read_text()
    assert main(["--check"], project) == 0
    changed = copy.deepcopy(results)
    changed["systems"]["proposed"]["splits"]["group"] = split_of(0.71)
    (project / "results" / "reproduction.json").write_text(json.dumps(changed))
    assert main(["--check"], project) == 1
    assert readme.read_text() == text
    assert main(["--help"], project) == 2


def test_what_is_between_the_markers_is_never_made_up(project: Path) -> None:
    sources = tables.SOURCES
    marker = "<!-- table: reproduction accuracy -->\n{}<!-- end of table -->"
    missing = render_document(marker.format("| 99.9 % |\n"), project / "nowhere", sources)
    assert missing == marker.format("*Not there yet: results/reproduction.json.*\n")
    file = project / "results" / "reproduction.json"
    file.write_text(json.dumps({"quick": True}))
    with pytest.raises(InputError, match="quick study"):
        render_document(marker.format(""), project / "results", sources)
    file.write_text(json.dumps({"format": 1}))
    with pytest.raises(InputError, match="must be a study of format"):
        render_document(marker.format(""), project / "results", sources)
    file.write_text("{")
    with pytest.raises(InputError, match="JSON"):
        render_document(marker.format(""), project / "results", sources)
    with pytest.raises(InputError, match="no table is called reproduction best"):
        render_document(marker.format("").replace("accuracy", "best"), project / "results", sources)
    with pytest.raises(InputError, match="end of table"):
        render_document("<!-- table: reproduction accuracy -->\n", project / "results", sources)
    (project / "README.md").write_text("<!-- table: nothing here -->\n<!-- end of table -->")
    assert tables.main([], project) == 2
