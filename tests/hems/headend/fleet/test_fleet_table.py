"""Files of any content: read back as they were written, or refused line by line; never a crash."""

import csv
import io
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from hems.headend.fleet.import_rows import COLUMNS, Problem, judge
from hems.headend.fleet.table_file import Line, TableError, read_table

_CELL = st.text(st.characters(codec="utf-8"), max_size=20).map(str.strip)


def read(content: bytes) -> list[Line | Problem]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        path.write_bytes(content)
        return list(read_table(path, COLUMNS, ("site",)))


@given(
    st.lists(st.lists(_CELL, min_size=3, max_size=3), min_size=1, max_size=5),
    st.sampled_from(",;\t"),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
@settings(deadline=None)
def test_what_a_spreadsheet_writes_is_read_back(
    rows: list[list[str]], separator: str, end: str, mark: bool, quoting: int
) -> None:
    # A lone carriage return is a line end to a spreadsheet as well; none of them writes one.
    rows = [[cell.replace("\r", " ").strip() for cell in row] for row in rows]
    if not any(any(row) for row in rows):
        rows.append(["h-1", "", ""])
    out = io.StringIO()
    writer = csv.writer(out, delimiter=separator, lineterminator=end, quoting=quoting)  # type: ignore[arg-type] # two of its constants
    writer.writerow(["address", "site", "lfdi"])
    writer.writerows(rows)
    found = read(("\ufeff" if mark else "").encode() + out.getvalue().encode())
    assert all(isinstance(each, Line) for each in found), found
    cells = [list(each.cells.values()) for each in found if isinstance(each, Line)]
    assert cells == [row for row in rows if any(row)]


@given(st.binary(max_size=300), st.booleans())
@settings(deadline=None)
def test_any_octets_are_lines_problems_or_no_table(content: bytes, named: bool) -> None:
    try:
        found = read((b"site,lfdi\n" if named else b"") + content)
    except TableError:
        return
    assert found
    for each in found:
        if isinstance(each, Line):
            assert each.number >= 2
            assert set(each.cells) <= set(COLUMNS)
        else:
            assert each.line >= 2
            assert each.reason.isprintable()


@given(st.dictionaries(st.sampled_from([*COLUMNS, "colour", "\x1b"]), st.text(max_size=60)))
@settings(deadline=None)
def test_any_cells_mean_something_or_have_problems(cells: dict[str, str]) -> None:
    line, problems = judge(7, {name: cell.strip() for name, cell in cells.items()})
    assert (line is None) is bool(problems)
    assert all(each.line == 7 and each.reason.isprintable() for each in problems)
    if line is not None:
        assert line.hub
        assert line.site.id == cells["site"].strip()
