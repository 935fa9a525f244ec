"""Builds the documentation into build/site; any warning is an error, and so is a page that would ask another host.

    python tools/build_site.py

Zensical checks links and anchors; what mkdocstrings says of docstrings, names that it could not link, and scripts,
styles, fonts and pictures from elsewhere are looked for here.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SITE = ROOT / "build" / "site"

ELSEWHERE = re.compile(
    r"""<(?:script|img|iframe|source|video)\b[^>]*\bsrc="(?:https?:)?//[^"]*"|<link\b[^>]*\bhref="(?:https?:)?//[^"]*\""""
)
UNLINKED = re.compile(r"\[(?:<code>)?[\w. ]+(?:</code>)?\]\[[\w.]*\]")
WARNING = re.compile(r"^(?:griffe|mkdocstrings|warning|error)\b", re.IGNORECASE)


def faults_of_page(html: str) -> list[str]:
    """What a built page asks other hosts for, and references that were not resolved."""
    return [f"asks another host: {tag}" for tag in ELSEWHERE.findall(html)] + [
        f"not linked: {reference}" for reference in UNLINKED.findall(html)
    ]


def main() -> int:
    """Returns the exit status."""
    built = subprocess.run(
        [sys.executable, "-m", "zensical", "build", "--clean", "--strict"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    print(built.stdout, end="")
    faults = [line for line in built.stdout.splitlines() if WARNING.match(line)]
    for page in sorted(SITE.rglob("*.html")):
        faults += [f"{page.relative_to(SITE)}: {fault}" for fault in faults_of_page(page.read_text("utf-8"))]
    for fault in faults:
        print(fault, file=sys.stderr)
    if built.returncode or faults:
        return 1
    print(f"{SITE / 'index.html'}: {len(list(SITE.rglob('*.html')))} pages")
    return 0


if __name__ == "__main__":
    sys.exit(main())
