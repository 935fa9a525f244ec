"""The documentation's pages ask no other host, and every page is reached from the navigation."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import exerlitenet
from build_site import faults_of_page

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = Path(exerlitenet.__file__).parent


def pages_of(nav: object) -> Iterator[str]:
    if isinstance(nav, str):
        yield nav
    elif isinstance(nav, dict):
        for value in nav.values():
            yield from pages_of(value)
    elif isinstance(nav, list):
        for value in nav:
            yield from pages_of(value)


def test_the_navigation_has_every_page() -> None:
    project = tomllib.loads((ROOT / "zensical.toml").read_text("utf-8"))["project"]
    docs = ROOT / "docs"
    assert set(pages_of(project["nav"])) == {str(page.relative_to(docs)) for page in docs.rglob("*.md")}


@pytest.mark.parametrize(
    "html",
    [
        '<script src="https://cdn.example/a.js"></script>',
        '<script async src="//cdn.example/a.js"></script>',
        '<link rel="stylesheet" href="https://fonts.example/css">',
        '<img alt="" src="http://example/a.png">',
        "<p>see [<code>Thing</code>][exerlitenet.Thing]</p>",
    ],
)
def test_a_page_that_asks_elsewhere_or_has_an_open_reference_is_a_fault(html: str) -> None:
    assert len(faults_of_page(html)) == 1


def test_links_for_readers_are_none() -> None:
    html = '<a href="https://example.org">paper</a><script src="assets/a.js"></script><img src="demo.webp">'
    assert faults_of_page(html) == []


def test_the_architecture_names_files_that_are_there() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    named = set(re.findall(r"`([\w/.-]+/[\w.-]+\.\w+)`", text))
    assert len(named) > 40
    assert {name for name in named if not any((root / name).is_file() for root in (ROOT, PACKAGE))} == set()
