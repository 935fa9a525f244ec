"""The documentation's pages ask no other host, and every page is reached from the navigation."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    monkeypatch.delitem(sys.modules, "build_site", raising=False)
    import build_site

    return build_site


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
def test_a_page_that_asks_elsewhere_or_has_an_open_reference_is_a_fault(site: Any, html: str) -> None:
    assert len(site.faults_of_page(html)) == 1


def test_links_for_readers_are_none(site: Any) -> None:
    html = '<a href="https://example.org">paper</a><script src="assets/a.js"></script><img src="demo.webp">'
    assert site.faults_of_page(html) == []
