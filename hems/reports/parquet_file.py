"""The history as Apache Parquet; loaded where such a file is made, in a process of its own."""

from collections.abc import Sequence
from typing import BinaryIO, Self

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from hems.reports.table import FIGURES, Row

_UNITS = {
    "taken_kwh": "kWh",
    "given_kwh": "kWh",
    "mean_power_w": "W, consumption positive",
    "lowest_power_w": "W, consumption positive",
    "highest_power_w": "W, consumption positive",
}


class ParquetFile:
    """A file in the making; a context manager, after which it is whole.

    Args:
        out: Where it goes; written from front to back only.
        zone: The home's, whose clock the local times go by.
    """

    def __init__(self, out: BinaryIO, zone: str) -> None:
        self._sink = pa.PythonFile(_Counted(out), mode="w")
        self._schema = _schema(zone)
        self._writer = pq.ParquetWriter(self._sink, self._schema, compression="zstd")

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Write the end, which says where all is."""
        self._writer.close()

    def write(self, rows: Sequence[Row]) -> None:
        """Write rows, as a group of their own."""
        figures = zip(*(row.figures for row in rows), strict=True) if rows else ()
        columns: list[Sequence[object]] = [
            [row.start for row in rows],
            [row.end for row in rows],
            [row.start_local.replace(tzinfo=None) for row in rows],
            [row.device for row in rows],
            [row.name for row in rows],
            [row.kind for row in rows],
            *figures,
        ]
        if rows:
            arrays = [pa.array(c, f.type) for c, f in zip(columns, self._schema, strict=True)]
            self._writer.write_table(pa.Table.from_arrays(arrays, schema=self._schema))


def _schema(zone: str) -> pa.Schema:
    utc = pa.timestamp("s", "UTC")
    clock = {"zone": zone}
    return pa.schema(
        [
            pa.field("start_utc", utc, nullable=False),
            pa.field("end_utc", utc, nullable=False),
            pa.field("start_local", pa.timestamp("s"), nullable=False, metadata=clock),
            pa.field("device", pa.string(), nullable=False),
            pa.field("name", pa.string(), nullable=False),
            pa.field("kind", pa.string(), nullable=False),
            *(
                pa.field(name, pa.float64(), metadata={"unit": _UNITS.get(name, "1")})
                for name in FIGURES
            ),
        ],
        metadata=clock,
    )


class _Counted:
    """A pipe that knows how much went into it: Parquet notes where its parts lie."""

    closed = False

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._written = 0

    def write(self, data: bytes) -> int:
        self._written += len(data)
        return self._out.write(data)

    def tell(self) -> int:
        return self._written

    def flush(self) -> None:
        self._out.flush()

    def close(self) -> None:
        self._out.flush()
