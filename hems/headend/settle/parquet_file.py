"""A settlement as Apache Parquet; loaded where such a file is first asked for."""

import io
from collections.abc import Iterable, Mapping

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from hems.headend.settle.columns import COLUMNS, Kind, row
from hems.headend.settle.delivery import Result

_GROUP = 5_000
"""Homes in a group of rows."""
_TYPES = {Kind.TEXT: pa.string(), Kind.NUMBER: pa.float64(), Kind.SECONDS: pa.float64()}


class ParquetFile:
    """A file in the making, handed out piece by piece.

    Args:
        about: What is said of the whole file.
    """

    content_type = "application/vnd.apache.parquet"

    def __init__(self, about: Mapping[str, str]) -> None:
        self._out = _Pieces()
        self._schema = pa.schema(
            [pa.field(c.name, _TYPES[c.kind], metadata={"unit": c.unit}) for c in COLUMNS],
            metadata=dict(about),
        )
        sink = pa.PythonFile(self._out, mode="w")
        self._writer = pq.ParquetWriter(sink, self._schema, compression="zstd")
        self._waiting: list[Result] = []

    def begin(self) -> bytes:
        """Return the first octets."""
        return self._out.taken()

    def write(self, results: Iterable[Result]) -> bytes:
        """Take some homes; returns what is ready of the file."""
        self._waiting += results
        if len(self._waiting) >= _GROUP:
            self._flush()
        return self._out.taken()

    def end(self) -> bytes:
        """Return the last octets, which say where all is."""
        if self._waiting:
            self._flush()
        self._writer.close()
        return self._out.taken()

    def _flush(self) -> None:
        columns = zip(*(row(result) for result in self._waiting), strict=True)
        arrays = [
            pa.array(cells, field.type) for cells, field in zip(columns, self._schema, strict=True)
        ]
        self._writer.write_table(pa.Table.from_arrays(arrays, schema=self._schema))
        self._waiting = []


class _Pieces:
    """Takes what is written until it is handed out; Parquet notes where its parts lie."""

    closed = False

    def __init__(self) -> None:
        self._buffer = io.BytesIO()
        self._written = 0

    def write(self, data: bytes) -> int:
        self._written += len(data)
        return self._buffer.write(data)

    def tell(self) -> int:
        return self._written

    def flush(self) -> None:
        """Everything is written at once."""

    def close(self) -> None:
        """What is there stays to be handed out."""

    def taken(self) -> bytes:
        data = self._buffer.getvalue()
        self._buffer = io.BytesIO()
        return data
