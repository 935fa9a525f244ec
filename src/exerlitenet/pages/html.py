"""The parts of a report page: style, tables, tiles, matrices. Everything inline, everything escaped, no
script.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any, Protocol, runtime_checkable

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


@runtime_checkable
class Bounded(Protocol):
    """A figure with the bounds of its interval; as text "FIGURE [LOW, HIGH]", or "FIGURE" alone."""

    @property
    def low(self) -> float | None: ...

    @property
    def high(self) -> float | None: ...


def page(title: str, body: Iterable[str]) -> str:
    """A whole page. body: HTML. The page may load nothing, by its own content security policy."""
    return "".join(
        (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark">',
            f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body><main>",
            f"<h1>{escape(title)}</h1>",
            *body,
            "</main></body></html>\n",
        )
    )


def section(title: str, *body: str, folded: bool = False) -> str:
    """A card with a heading. body: HTML. folded: closed until the reader opens it."""
    inside = "".join(body)
    if folded:
        return f"<details><summary>{escape(title)}</summary>{inside}</details>"
    return f"<section><h2>{escape(title)}</h2>{inside}</section>"


def paragraph(words: str, kind: str = "") -> str:
    """kind: "" for plain text, "quiet" for remarks, "fault" for warnings."""
    return f'<p class="{kind}">{escape(words)}</p>' if kind else f"<p>{escape(words)}</p>"


def tiles(figures: Mapping[str, tuple[str, Sequence[str]]]) -> str:
    """Headline figures: name -> (figure, remarks), each remark on a line of its own."""
    shown = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(figure)}</dd>"
        + "".join(f'<dd class="note">{escape(remark)}</dd>' for remark in remarks)
        + "</div>"
        for name, (figure, remarks) in figures.items()
    )
    return f'<dl class="tiles">{shown}</dl>'


def table(
    columns: Sequence[str], rows: Iterable[Sequence[Any]], caption: str = "", wrap: Sequence[str] = ()
) -> str:
    """A table whose first column names the row. Columns of numbers and intervals are set to the right.

    wrap: names of the columns whose text may run over several lines.
    """
    rows = list(rows)
    css = [
        ' class="w"'
        if name in wrap
        else ' class="n"'
        if k and _numeric(row[k] for row in rows if k < len(row))
        else ""
        for k, name in enumerate(columns)
    ]
    heads = "".join(
        f'<th scope="col"{kind}>{escape(name)}</th>' for name, kind in zip(columns, css, strict=True)
    )
    body = "".join(
        f'<tr><th scope="row"{css[0]}>{cell(row[0])}</th>'
        + "".join(f"<td{kind}>{cell(value)}</td>" for value, kind in zip(row[1:], css[1:], strict=True))
        + "</tr>"
        for row in rows
    )
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(caption or "table")}"><table>'
        f"{title}<thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _numeric(values: Iterable[Any]) -> bool:
    present = [value for value in values if value is not None]
    return bool(present) and all(isinstance(value, int | float | Bounded) for value in present)


def cell(value: Any) -> str:
    """A value as escaped text; "-" for none, intervals as small text behind their figure."""
    if value is None:
        return "-"
    if isinstance(value, Bounded):
        figure, bracket, bounds = f"{value}".partition(" [")
        return escape(figure) + (f" <small>{escape(f'[{bounds}')}</small>" if bracket else "")
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return escape(f"{value:.4g}")
    return escape(str(value))


def matrix(classes: Sequence[str], counts: Sequence[Sequence[int]], caption: str) -> str:
    """A confusion matrix: row = truth, column = what it was called; tinted by the share of the row."""
    heads = "".join(f'<th scope="col">{escape(name)}</th>' for name in classes)
    rows = []
    for name, row in zip(classes, counts, strict=True):
        total = sum(row)
        cells = "".join(
            f'<td style="--tint:{60 * n / total if total else 0:.0f}%">{n}<small>'
            f"{f'{100 * n / total:.0f} %' if total else '-'}</small></td>"
            for n in row
        )
        rows.append(f'<tr><th scope="row">{escape(name)}</th>{cells}</tr>')
    return (
        f'<table class="matrix"><caption>{escape(caption)}</caption><thead><tr><td></td>{heads}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table>"
    )


def card(facts: Mapping[str, Any]) -> str:
    """Nested facts, such as a configuration, as a definition list."""
    rows = "".join(
        f"<dt>{escape(str(name))}</dt><dd>{card(v) if isinstance(v, Mapping) else _plain(v)}</dd>"
        for name, v in facts.items()
    )
    return f'<dl class="card">{rows}</dl>'


def _plain(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(_plain(v) for v in value) or "-"
    return cell(value)


_STYLE = """
:root { --page: #f6f7f9; --card: #fff; --ink: #18202b; --quiet: #4a5563; --line: #d5dae1; --tone: #3d86dd;
  --c0: #1858a8; --c1: #a34400; --fault: #8f1d1d; --fault-page: #fdeceb;
  --font: system-ui, "Segoe UI", Roboto, "Helvetica Neue", sans-serif }
@media (prefers-color-scheme: dark) { :root { --page: #12161c; --card: #1b2129; --ink: #e8ecf2;
  --quiet: #aab4c2; --line: #39424f; --tone: #2f6fc0; --c0: #7fb5f5; --c1: #f5a55c; --fault: #ffb4ab;
  --fault-page: #3a1d1d } }
* { box-sizing: border-box }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.5 var(--font) }
main { max-width: 1060px; margin: 0 auto; padding: 28px 16px 48px }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0 0 18px; overflow-wrap: anywhere }
h2 { font-size: 1.15rem; margin: 0 0 12px; overflow-wrap: anywhere }
p { margin: 0 0 12px; max-width: 80ch; overflow-wrap: anywhere }
section, details { background: var(--card); border: 1px solid var(--line); border-radius: 10px;
  padding: 18px; margin: 0 0 18px }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(170px, 1fr)); gap: 16px 12px;
  margin: 0 }
.tiles div { border-left: 3px solid var(--line); padding: 2px 0 2px 12px }
.tiles dt { color: var(--quiet); font-size: .875rem }
.tiles dd { margin: 0; font-size: 1.35rem; font-weight: 600; line-height: 1.3 }
.tiles dd.note { font-size: .8125rem; font-weight: 400; color: var(--quiet) }
.fault { background: var(--fault-page); color: var(--fault); border-radius: 6px; padding: 10px 14px;
  margin: 0 0 16px; max-width: none }
.quiet { color: var(--quiet); font-size: .875rem }
.after { margin: 16px 0 0 }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 400px), 1fr));
  gap: 18px 28px }
.pair.narrow { grid-template-columns: repeat(auto-fit, minmax(min(100%, 290px), 1fr)) }
.pair > * { min-width: 0 }
figure { margin: 0 }
figcaption { font-weight: 600; font-size: .9375rem }
figure > svg { display: block; width: 100%; height: auto }
svg text { font: 12px var(--font); fill: var(--quiet) }
.grid { stroke: var(--line); fill: none }
.mark { stroke: var(--quiet); stroke-dasharray: 3 3; fill: none }
.curve { fill: none; stroke-width: 2; stroke-linejoin: round }
.curve.c0 { stroke: var(--c0) }
.curve.c1 { stroke: var(--c1); stroke-dasharray: 9 3 }
.dot.c0 { fill: var(--c0) }
.dot.c1 { fill: var(--c1) }
.legend { display: flex; flex-wrap: wrap; gap: 4px 20px; list-style: none; padding: 0; margin: 0 0 10px;
  font-size: .9rem }
.key { margin-right: 8px; vertical-align: middle }
.scroll { overflow-x: auto; margin: 0 0 12px }
details .scroll { max-height: 620px; overflow-y: auto }
.scroll:focus-visible { outline: 2px solid var(--c0); outline-offset: 2px }
table { border-collapse: collapse; font-size: .9375rem }
.scroll > table { min-width: min(100%, 560px) }
caption { text-align: left; font-weight: 600; font-size: .9375rem; padding: 0 0 6px }
th, td { text-align: left; padding: 6px 18px 6px 0; border-bottom: 1px solid var(--line);
  white-space: nowrap; vertical-align: baseline }
thead th { color: var(--quiet); font-weight: 600; font-size: .875rem }
tbody th { font-weight: 600 }
th.n, td.n { text-align: right; font-variant-numeric: tabular-nums }
th.w, td.w { white-space: normal; min-width: 7em; max-width: 26em }
small { color: var(--quiet); font-size: .8125rem }
.matrix { margin: 0 0 14px }
.matrix td, .matrix th { padding: 8px 12px; border: 0 }
.matrix tbody th { text-align: right; padding-left: 0; vertical-align: middle }
.matrix thead th { text-align: center }
.matrix tbody td { text-align: center; min-width: 88px; border: 2px solid var(--card);
  background: color-mix(in srgb, var(--tone) var(--tint), var(--page)); font-variant-numeric: tabular-nums }
.matrix small { display: block; color: inherit }
summary { cursor: pointer; font-weight: 600 }
details[open] > summary { margin: 0 0 12px }
.card { display: grid; grid-template-columns: minmax(110px, max-content) 1fr; gap: 4px 16px; margin: 0;
  overflow-wrap: anywhere; font-size: .9375rem }
.card dt { color: var(--quiet) }
.card dd { margin: 0 }
@media (max-width: 560px) { main { padding: 18px 8px 32px } section, details { padding: 14px 12px }
  .card { grid-template-columns: 1fr } .card .card { padding-left: 12px } .matrix tbody td { min-width: 0 }
  .matrix td, .matrix th { padding: 6px; font-size: .8125rem } }
@media print { section { break-inside: avoid } details .scroll { max-height: none } }
"""
