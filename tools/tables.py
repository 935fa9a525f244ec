"""Writes the tables of README.md and docs/, the page of the study, and the card beside the model from results/.

python tools/tables.py            writes
python tools/tables.py --check    says which documents differ, and ends with status 1 if any does
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from benchmark_tables import BENCHMARK
from documents import Source, read_object, render_document
from exerlitenet.errors import InputError
from exerlitenet.evaluation.metrics import with_intervals
from exerlitenet.reproduction import tables
from exerlitenet.reproduction.page import study_report
from exerlitenet.reproduction.results import FORMAT
from markdown_table import markdown
from model_tables import CROSS_VALIDATION, ROBUSTNESS
from overview_table import OVERVIEW

ROOT = Path(__file__).resolve().parent.parent


def load_study(paths: Sequence[Path]) -> dict[str, Any]:
    """The figures of a study. Raises InputError for a file that is no finished study of this format."""
    [path] = paths
    data = read_object(path)
    if data.get("quick"):
        raise InputError(f"{path} is of a quick study, whose figures mean nothing; run it in full")
    if data.get("format") != FORMAT:
        raise InputError(
            f"{path} must be a study of format {FORMAT}, got {data.get('format')!r}; "
            "write it anew by `exerlitenet reproduce ... --resume`"
        )
    found: dict[str, Any] = with_intervals(data)
    return found


TABLES = {
    "splits": tables.splits,
    "tested": tables.tested_parts,
    "accuracy": tables.accuracy,
    "stopping": tables.stopping,
    "pairs": tables.pairs,
    "errors": tables.class_errors,
    "rest": tables.rest_errors,
    "rows": tables.verdict_rows,
    "tally": tables.tallies,
    "networks": tables.networks,
}


def _study_table(name: str, results: dict[str, Any]) -> str:
    found = TABLES[name](results)
    return markdown(found.columns, found.rows)


STUDY = Source("reproduction.json", load_study, {name: partial(_study_table, name) for name in TABLES})

SOURCES: dict[str, Source] = {
    "reproduction": STUDY,
    "benchmark": BENCHMARK,
    "cross-validation": CROSS_VALIDATION,
    "robustness": ROBUSTNESS,
    "overview": OVERVIEW,
}
"""What a document's markers may name."""

CARD, CARD_BESIDE_MODEL = Path("docs/model-card.md"), Path("src/exerlitenet/models/default/README.md")
"""The second is a copy of the first, so that the model carries its card."""


def documents(root: Path = ROOT) -> list[Path]:
    """The documents whose tables are written."""
    return [path for path in (root / "README.md", *sorted((root / "docs").rglob("*.md"))) if path.is_file()]


def written(path: Path, root: Path = ROOT) -> str:
    """What a document, page or copy should hold. Raises InputError for results that cannot be used."""
    results = root / "results"
    if path.suffix == ".html":
        return study_report(load_study([results / STUDY.pattern]))
    if path == root / CARD_BESIDE_MODEL:
        return written(root / CARD, root)
    return render_document(path.read_text("utf-8"), results, SOURCES)


def pages(root: Path = ROOT) -> list[Path]:
    """The page of the study and the card beside the model, where there are such to write."""
    figures = root / "results" / STUDY.pattern
    found = [figures.with_suffix(".html")] if figures.is_file() else []
    return [*found, *([root / CARD_BESIDE_MODEL] if (root / CARD_BESIDE_MODEL).is_file() else [])]


def main(arguments: list[str], root: Path = ROOT) -> int:
    """Returns the exit status."""
    if arguments not in ([], ["--check"]):
        print(__doc__, file=sys.stderr)
        return 2
    different = 0
    for path in (*documents(root), *pages(root)):
        before = path.read_text("utf-8") if path.is_file() else ""
        try:
            after = written(path, root)
        except InputError as fault:
            print(f"{path.relative_to(root)}: {fault}", file=sys.stderr)
            return 2
        if after == before:
            continue
        different += 1
        if not arguments:
            path.write_text(after, "utf-8")
        print(f"{path.relative_to(root)}: {'differs' if arguments else 'written'}")
    return 1 if arguments and different else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
