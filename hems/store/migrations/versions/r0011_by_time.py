"""What the devices measured lies by time, all devices together, and no longer device by device.

A minute's batch then touches the newest pages of each table only, however many devices there are.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

_Columns = Sequence[tuple[str, type[sa.Integer | sa.Float[float]], bool]]
"""Name, type, and whether it may be NULL, of each column beside the key's."""

_TABLES: Final[Sequence[tuple[str, str, int, _Columns]]] = (
    (
        "samples",
        "at_ms",
        1_800_000,
        (
            ("power_w", sa.Float, False),
            ("soc", sa.Float, True),
            ("temp_c", sa.Float, True),
            ("voltage_v", sa.Float, True),
        ),
    ),
    (
        "minutes",
        "minute",
        1440,
        (
            ("count", sa.Integer, False),
            ("power_sum_w", sa.Float, False),
            ("soc", sa.Float, True),
            ("taken_sum_w", sa.Float, True),
        ),
    ),
    (
        "quarters",
        "quarter",
        960,
        (
            ("minutes", sa.Integer, False),
            ("taken_sum_w", sa.Float, False),
            ("given_sum_w", sa.Float, False),
            ("low_w", sa.Float, False),
            ("high_w", sa.Float, False),
            ("soc", sa.Float, True),
            ("soc_low", sa.Float, True),
            ("soc_high", sa.Float, True),
        ),
    ),
    (
        "blocks",
        "block",
        960,
        (
            ("minutes", sa.Integer, False),
            ("taken_sum_w", sa.Float, False),
            ("given_sum_w", sa.Float, False),
            ("low_w", sa.Float, False),
            ("high_w", sa.Float, False),
            ("soc_low", sa.Float, True),
            ("soc_high", sa.Float, True),
        ),
    ),
)
"""Each table, by what its rows are in order, how long a slice of it is, and its columns."""


def upgrade() -> None:
    """Write each table anew by time, slice by slice: it need not be sorted in memory as a whole."""
    # What is dropped is not written once more with zeros: new rows are going to be put over it.
    op.get_bind().exec_driver_sql("PRAGMA secure_delete=FAST")
    for table, at, length, columns in _TABLES:
        _make(f"{table}_new", (at, "device"), at, columns)
        for devices, begun in _slices(table, at, length):
            mine = f"device IN ({devices}) AND {at} >= {begun} AND {at} < {begun + length}"
            _copy(table, columns, at, f"WHERE {mine} ORDER BY {at}, device")
        _replace(table)


def downgrade() -> None:
    """Write each device by device again."""
    for table, at, _, columns in _TABLES:
        _make(f"{table}_new", ("device", at), at, columns)
        _copy(table, columns, at, "")
        _replace(table)


def _make(table: str, key: Sequence[str], at: str, columns: _Columns) -> None:
    op.create_table(
        table,
        sa.Column("device", sa.Integer),
        sa.Column(at, sa.Integer),
        *(sa.Column(name, kind, nullable=nullable) for name, kind, nullable in columns),
        sa.PrimaryKeyConstraint(*key),
        sqlite_with_rowid=False,
    )


def _slices(table: str, at: str, length: int) -> Iterator[tuple[str, int]]:
    """Find where slices begin, beyond gaps of any length; each with the devices in it."""
    devices: list[int] = []
    device = _least(table, "device", "1")
    while device is not None:
        devices.append(device)
        device = _least(table, "device", f"device > {device}")
    begun = None
    while True:
        later = "" if begun is None else f"AND {at} >= {begun + length}"
        found = {each: _least(table, at, f"device = {each} {later}") for each in devices}
        devices = [each for each, oldest in found.items() if oldest is not None]
        if not devices:
            return
        begun = min(oldest for oldest in found.values() if oldest is not None)
        yield ", ".join(map(str, devices)), begun


def _least(table: str, column: str, where: str) -> int | None:
    found = op.get_bind().exec_driver_sql(f"SELECT min({column}) FROM {table} WHERE {where}")  # noqa: S608 - names and numbers of our own tables
    return found.scalar_one()  # type: ignore[no-any-return] # a key is an integer


def _copy(table: str, columns: _Columns, at: str, rest: str) -> None:
    names = ", ".join(["device", at, *(name for name, *_ in columns)])
    words = f"INSERT INTO {table}_new ({names}) SELECT {names} FROM {table} {rest}"  # noqa: S608 - as above
    op.get_bind().exec_driver_sql(words)


def _replace(table: str) -> None:
    op.drop_table(table)
    op.rename_table(f"{table}_new", table)
