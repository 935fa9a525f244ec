"""Writes the tables of README.md and docs/*.md, and the page of the study, anew from the files in results/.

python tools/tables.py            writes
python tools/tables.py --check    says which documents differ, and ends with status 1 if any does
"""

from __future__ import annotations

import sys
from pathlib import Path

from exerlitenet.benchmark.tables import BENCHMARK
from exerlitenet.errors import InputError
from exerlitenet.training.documents import Source, render_document
from exerlitenet.training.study_report import study_report
from exerlitenet.training.study_tables import STUDY, load_study

ROOT = Path(__file__).resolve().parent.parent

SOURCES: dict[str, Source] = {"reproduction": STUDY, "benchmark": BENCHMARK}
"""What a document's markers may name."""


def documents(root: Path = ROOT) -> list[Path]:
    """The documents whose tables are written."""
    return [path for path in (root / "README.md", *sorted((root / "docs").glob("*.md"))) if path.is_file()]


def written(path: Path, root: Path = ROOT) -> str:
    """What a document, or the page of the study, should hold. Raises InputError for results that cannot be used."""
    results = root / "results"
    if path.suffix == ".html":
        return study_report(load_study([results / STUDY.pattern]))
    return render_document(path.read_text("utf-8"), results, SOURCES)


def pages(root: Path = ROOT) -> list[Path]:
    """The page of the study, where there is one to write."""
    figures = root / "results" / STUDY.pattern
    return [figures.with_suffix(".html")] if figures.is_file() else []


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
