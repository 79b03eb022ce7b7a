"""The pages of all settings, of hub and head-end, from the models that read them.

`python -m tests.papers.settings_pages` (`make pages`) writes `docs/settings.md` and
`docs/headend-settings.md`.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import BaseModel

from hems.headend.settings import HeadEndSettings
from hems.settings.config import Config
from tests.papers.model_fields import Field, fields
from tests.papers.written import bounds, default, kind
from tests.traceability import ROOT

DOCS: Final = ROOT / "docs"
GUIDE: Final = DOCS / "operate.md"

HUB: Final = """\
# Every setting of the hub

Written by `make pages` from the code that reads the file; do not edit. All of it in one example,
with comments: [Configuration](operate.md#configuration).

One TOML file, `hems.toml`, read by `hems run --config hems.toml`. A quantity is a text with its
unit ("5 kW", "10 min"); a relative path is relative to the file; an unknown key is an error. What
is set on the page stands in files of the hub's own beside it; what stands in `hems.toml` holds
before it. All mistakes are named at once.
"""
HEAD_END: Final = """\
# Every setting of the head-end

Written by `make pages` from the code that reads the file; do not edit. A small one that works:
[From nothing to the first event](headend.md#from-nothing-to-the-first-event).

One TOML file, read by `hems headend run --config FILE`. Units stand in the keys (`_s` seconds,
`_w` watts) or in what is said of them; a relative path is relative to the file; an unknown key is
an error. "None" in what is said of a key means: left out.
"""


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the file.

    Attributes:
        path: Keys that lead to it.
        model: What reads it.
        many: Whether there may be several: `[[path]]`.
        told: What the field that holds it says of it.
        needed: Whether it must be there.
    """

    path: tuple[str, ...]
    model: type[BaseModel]
    many: bool = False
    told: str = ""
    needed: bool = False

    @property
    def title(self) -> str:
        """As it stands in the file."""
        if not self.path:
            return "Before all tables"
        name = ".".join(self.path)
        return f"[[{name}]]" if self.many else f"[{name}]"


def tables(model: type[BaseModel]) -> Iterator[Table]:
    """Yield all tables of a file, the whole of it first, each before those within it."""

    def walk(table: Table) -> Iterator[Table]:
        yield table
        for field in fields(table.model):
            inner = field.table
            if inner is not None:
                path = (*table.path, field.key, *(("NAME",) if field.named else ()))
                needed = field.info.is_required()
                yield from walk(Table(path, inner, field.many, field.described, needed))

    yield from walk(Table((), model))


def undescribed(model: type[BaseModel]) -> list[str]:
    """Return the tables and keys of which the code says nothing."""
    gone = []
    for table in tables(model):
        if not (table.model.__doc__ or "").strip():
            gone.append(f"{table.model.__name__} has no docstring")
        gone += [
            f"{table.model.__name__}.{field.key} has no string below it"
            for field in fields(table.model)
            if field.table is None and not field.described
        ]
    return list(dict.fromkeys(gone))


def render(head: str, model: type[BaseModel], examples: Mapping[str, str]) -> str:
    """Return a page as Markdown.

    Args:
        head: Its beginning.
        model: What reads the file.
        examples: A value for each key that has one, as `examples_of` gives them.
    """
    found = [table for table in tables(model) if _values(table)]
    lines = [head, "| table | what it is of |", "|---|---|"]
    lines += [f"| [`{each.title}`](#{_anchor(each)}) | {_purpose(each)} |" for each in found]
    for table in found:
        lines += ["", f'<a id="{_anchor(table)}"></a>', "", f"## `{table.title}`", ""]
        lines += [_paragraphs(table), ""]
        lines += ["| key | value | default | what it does |", "|---|---|---|---|"]
        lines += [_row(table, field, examples) for field in _values(table)]
    return "\n".join(lines) + "\n"


def _values(table: Table) -> list[Field]:
    return [field for field in fields(table.model) if field.table is None]


def _anchor(table: Table) -> str:
    return "-".join(table.path).lower().replace("_", "-") or "before-all-tables"


def _purpose(table: Table) -> str:
    return _cell((table.model.__doc__ or "").partition("\n\n")[0])


def _paragraphs(table: Table) -> str:
    said = (table.model.__doc__ or "").strip()
    whole = [" ".join(each.split()) for each in said.split("\n\n")]
    if table.told and table.told not in whole:
        whole.append(table.told)
    if table.needed:
        whole.append("At least one must be given." if table.many else "It must be given.")
    return "\n\n".join(whole)


def _row(table: Table, field: Field, examples: Mapping[str, str]) -> str:
    limits = bounds(field)
    value = kind(field) + (f"; {limits}" if limits else "")
    example = examples.get(".".join((*table.path, field.key)), "")
    usual = default(field)
    shown = f" Example: `{example}`" if example and f"`{example}`" != usual else ""
    return f"| `{field.key}` | {_cell(value)} | {usual} | {_cell(field.described)}{shown} |"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def examples_of(text: str) -> dict[str, str]:
    """Return the values of a TOML text by their keys, indices of tables left out; the first holds.

    Args:
        text: The TOML, in which each key stands on a line of its own.
    """
    found: dict[str, str] = {}
    path = ""
    for line in text.splitlines():
        head = re.match(r"\[\[?([a-z_.]+)\]?\]", line)
        pair = re.match(r"(?:# )?([a-z_]+) = (.+)", line)
        if head is not None:
            path = head[1] + "."
        elif pair is not None:
            found.setdefault(path + pair[1], _without_comment(pair[2]))
    return found


def _without_comment(value: str) -> str:
    """Return a value of TOML without the comment behind it."""
    ends = [place.start() for place in re.finditer(r"\s+#", value)]
    for end in (*ends, len(value)):
        try:
            tomllib.loads(f"x = {value[:end]}")
        except tomllib.TOMLDecodeError:
            continue
        return value[:end].strip()
    raise ValueError(f"{value!r} is no value of TOML on one line")


def blocks(page: Path) -> Sequence[str]:
    """Return the TOML that stands in a page of the documents."""
    return re.findall(r"```toml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)


def pages() -> dict[Path, str]:
    """Return what is written, by file."""
    return {
        DOCS / "settings.md": render(HUB, Config, examples_of(blocks(GUIDE)[0])),
        DOCS / "headend-settings.md": render(HEAD_END, HeadEndSettings, {}),
    }


if __name__ == "__main__":
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
