"""The parts of a report page: sections, tables, tiles, matrices. Everything inline, everything escaped."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any

from exerlitenet.pages.text import Bounded, bounds, percent


class Html(str):
    """Text that is HTML already, such as a link in a cell."""

    __slots__ = ()


@lru_cache(maxsize=1)
def _style() -> str:
    return Path(__file__).with_name("report.css").read_text(encoding="utf-8")


def page(title: str, body: Iterable[str], script: str = "") -> str:
    """A whole page. body: HTML. The page may load nothing, by its own content security policy, and run nothing but
    `script`.
    """
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    if script:
        fingerprint = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        policy += f"; script-src 'sha256-{fingerprint}'"
        script = f"<script>{script}</script>"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{escape(title)}</title><style>{_style()}</style></head><body><main>"
        f"<h1>{escape(title)}</h1>{''.join(body)}</main>{script}</body></html>\n"
    )


def section(title: str, *body: str, folded: bool = False, name: str = "") -> str:
    """A card with a heading. body: HTML. folded: closed until the reader opens it. name: for links to it."""
    inside = "".join(body)
    if folded:
        return f"<details><summary>{escape(title)}</summary>{inside}</details>"
    outer, own = (f' aria-labelledby="{name}"', f' id="{name}"') if name else ("", "")
    return f"<section{outer}><h2{own}>{escape(title)}</h2>{inside}</section>"


def paragraph(words: str, kind: str = "") -> str:
    """kind: "" for plain text, "quiet" for remarks, "fault" for warnings. words: escaped unless they are `Html`."""
    css = f' class="{kind}"' if kind else ""
    return f"<p{css}>{_escaped(words)}</p>"


def side_by_side(parts: Iterable[str], *, narrow: bool = False) -> str:
    """HTML parts beside each other where the page is wide enough: two in a row, or three narrow ones."""
    return f'<div class="pair{" narrow" if narrow else ""}">{"".join(parts)}</div>'


def figure(caption: str, *body: str) -> str:
    """A drawing with its caption. body: HTML."""
    return f"<figure><figcaption>{escape(caption)}</figcaption>{''.join(body)}</figure>"


def tiles(figures: Mapping[str, tuple[str, Sequence[str]]]) -> str:
    """Headline figures: name -> (figure, remarks), each remark on a line of its own."""
    shown = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(figure)}</dd>"
        + "".join(f'<dd class="note">{escape(remark)}</dd>' for remark in remarks)
        + "</div>"
        for name, (figure, remarks) in figures.items()
    )
    return f'<dl class="tiles">{shown}</dl>'


def scroll(name: str, *body: str) -> str:
    """HTML that scrolls by itself on a narrow screen. name: for those who cannot see it."""
    return f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(name)}">{"".join(body)}</div>'


def table(
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    wrap: Sequence[str] = (),
    right: Sequence[str] = (),
) -> str:
    """A table whose first column names the row. Columns of numbers and intervals are set to the right.

    wrap: names of the columns whose text may run over several lines. right: of further columns set to the right.
    """
    rows = list(rows)
    css = []
    for k, name in enumerate(columns):
        numeric = name in right or (k and _numeric(row[k] for row in rows if k < len(row)))
        css.append(' class="w"' if name in wrap else ' class="n"' if numeric else "")
    heads = "".join(f'<th scope="col"{c}>{escape(name)}</th>' for name, c in zip(columns, css, strict=True))
    body = "".join(
        f'<tr><th scope="row"{css[0]}>{cell(row[0])}</th>'
        + "".join(f"<td{c}>{cell(value)}</td>" for value, c in zip(row[1:], css[1:], strict=True))
        + "</tr>"
        for row in rows
    )
    return scroll(
        "table",
        f"<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>",
    )


def _numeric(values: Iterable[Any]) -> bool:
    present = [value for value in values if value is not None]
    return bool(present) and all(isinstance(value, int | float | Bounded) for value in present)


def cell(value: Any) -> str:
    """A value as escaped text; "-" for none, intervals as small text behind their figure."""
    if isinstance(value, Bounded):
        inside = bounds(value, ", ")
        return percent(value.value) + (f" <small>[{inside}]</small>" if inside else "")
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(cell(v) for v in value) or "-"
    if isinstance(value, Mapping):
        return card(value)
    return "-" if value is None else f"{value:.4g}" if isinstance(value, float) else _escaped(value)


def _escaped(value: Any) -> str:
    return value if isinstance(value, Html) else escape(str(value))


def matrix(classes: Sequence[str], counts: Sequence[Sequence[int]], caption: str) -> str:
    """A confusion matrix: row = truth, column = what it was called; tinted by the share of the row."""
    heads = "".join(f'<th scope="col">{escape(name)}</th>' for name in classes)
    rows = []
    for name, row in zip(classes, counts, strict=True):
        total = sum(row)
        shares = [n / total if total else None for n in row]
        cells = "".join(
            f'<td style="--tint:{60 * (share or 0):.0f}%">{n}<small>{percent(share, 0)}</small></td>'
            for n, share in zip(row, shares, strict=True)
        )
        rows.append(f'<tr><th scope="row">{escape(name)}</th>{cells}</tr>')
    return (
        f'<table class="matrix"><caption>{escape(caption)}</caption><thead><tr><td></td>{heads}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table>"
    )


def card(facts: Mapping[str, Any]) -> str:
    """Nested facts, such as a configuration, as a definition list."""
    rows = "".join(f"<dt>{escape(str(key))}</dt><dd>{cell(value)}</dd>" for key, value in facts.items())
    return f'<dl class="card">{rows}</dl>'
