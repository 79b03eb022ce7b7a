"""Makes a file of the history in a process of its own: the order on stdin, the file on stdout.

The hub goes on meanwhile, and never has to load what only such files need.
"""

import asyncio
import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, BinaryIO, Final, cast

from pydantic import ValidationError

from hems.reports import csv_file
from hems.reports.table import ExportError, Order, rows
from hems.store.cipher import StoreFile
from hems.store.database import Database
from hems.store.errors import StoreError
from hems.store.quarters import Quarters
from hems.store.schema import REVISIONS
from hems.store.sqlite import read_revision

if TYPE_CHECKING:
    from hems.reports.parquet_file import ParquetFile

NO_PARQUET: Final = (
    "Parquet needs the package pyarrow, which is not installed here; "
    "install the extra `parquet`, or export CSV"
)
EXIT_NO_PARQUET: Final = 3
_NICE: Final = 10


class NoParquetError(ExportError):
    """What Parquet needs is not installed."""


async def make(order: Order, out: BinaryIO) -> None:
    """Write a file.

    Args:
        order: What of what.
        out: Where it goes.

    Raises:
        ExportError: It cannot be made.
        StoreError: The store cannot be read.
    """
    store = StoreFile(order.store, order.store_key)
    _check(store)
    database = Database(store.path, lambda: store.key)
    try:
        quarters = Quarters(database)
        if order.form == "csv":
            out.write(csv_file.header(order.zone))
            async for some in rows(order, quarters):
                out.write(csv_file.lines(some))
        else:
            with _parquet(out, order.zone) as file:
                async for some in rows(order, quarters):
                    file.write(some)
        out.flush()
    finally:
        await database.close()


def _parquet(out: BinaryIO, zone: str) -> "ParquetFile":
    try:
        module = import_module("hems.reports.parquet_file")
    except ImportError as error:
        raise NoParquetError(NO_PARQUET) from error
    return cast("ParquetFile", module.ParquetFile(out, zone))


def _check(store: StoreFile) -> None:
    if not store.path.is_file():
        raise ExportError(f"{store.path}: there is no store of a hub")
    if read_revision(store.path, store.key) != REVISIONS[-1]:
        raise ExportError(
            f"{store.path}: a hub of an older version wrote it; start the present one"
        )


def main() -> int:
    """Make the file that stdin orders; returns the exit code.

    It is 1 with one sentence on stderr, or `EXIT_NO_PARQUET`.
    """
    os.nice(_NICE)
    try:
        order = Order.model_validate_json(sys.stdin.buffer.read())
        asyncio.run(make(order, sys.stdout.buffer))
    except NoParquetError:
        return EXIT_NO_PARQUET
    except (ExportError, StoreError, ValidationError) as error:
        print(error, file=sys.stderr)  # noqa: T201 - for the hub that reads it
        return 1
    except BrokenPipeError:
        # Who asked has gone. Python would complain of it once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
