"""Tables of documents in Markdown, written from files of results between markers.

A document names a table by a pair of comment lines, and everything between them is replaced:

    <!-- table: reproduction accuracy -->
    <!-- end of table -->

The first word is a source of figures, the second one of its tables.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exerlitenet.errors import InputError

_MARKED = re.compile(
    r"^(?P<begin><!-- table: (?P<source>[\w-]+) (?P<name>[\w-]+) -->\n)(?P<body>.*?)^(?P<end><!-- end of table -->)$",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True)
class Source:
    """Where tables take their figures from.

    pattern: of the files in the folder of results, as in `Path.glob`; several with commas between them.
    load: reads the files that are there, in order of their names; raises InputError for what is no such file.
    tables: name -> what makes Markdown of what was read.
    """

    pattern: str
    load: Callable[[Sequence[Path]], Any]
    tables: Mapping[str, Callable[[Any], str]]


def render_document(text: str, results: Path, sources: Mapping[str, Source]) -> str:
    """The document with every marked table written anew from the folder `results`.

    Raises InputError for a marker that names no known table, files that cannot be used, and a marker without
    its end.
    """
    lines = text.splitlines()
    begins = sum(line.startswith("<!-- table:") for line in lines)
    ends = lines.count("<!-- end of table -->")
    if begins != ends or begins != len(_MARKED.findall(text)):
        raise InputError(
            'every table needs a line "<!-- table: SOURCE NAME -->" and a line "<!-- end of table -->", '
            f"got {begins} and {ends}"
        )
    return _MARKED.sub(lambda found: _rendered(found, results, sources), text)


def _rendered(found: re.Match[str], results: Path, sources: Mapping[str, Source]) -> str:
    source = sources.get(found["source"])
    table = None if source is None else source.tables.get(found["name"])
    if source is None or table is None:
        known = ", ".join(f"{name} {table}" for name, source in sources.items() for table in source.tables)
        raise InputError(f"no table is called {found['source']} {found['name']}; there are {known}")
    paths = sorted(path for pattern in source.pattern.split(",") for path in results.glob(pattern))
    body = table(source.load(paths)) if paths else f"*Not there yet: results/{source.pattern}.*"
    return f"{found['begin']}{body}\n{found['end']}"


def read_object(path: Path) -> dict[str, Any]:
    """A JSON object. Raises InputError for a file that holds none."""
    try:
        data = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as fault:
        raise InputError(f"{path} cannot be read as JSON: {fault}") from fault
    if not isinstance(data, dict):
        raise InputError(f"{path} must hold an object of results, but it holds {data!r:.40}")
    return data
