"""Files of the history for the page: a process of its own makes each, one at a time."""

import asyncio
import contextlib
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from typing import Final

from der.sentence import say
from hems.cem.civil import Grain, Period
from hems.reports.child import EXIT_NO_PARQUET
from hems.reports.energy import Known
from hems.reports.table import Named, Order
from hems.store.cipher import StoreFile
from hems.store.errors import StoreError
from hems.store.quarters import Quarters
from hems.surface import SurfaceError

_NO_PARQUET: Final = say(
    "Parquet needs the package pyarrow, which is not installed on this hub; take CSV instead."
)
_PIECE: Final = 1 << 16
_LONGEST_S: Final = 900.0
"""Ten years of quarter-hours take minutes on a small machine; nobody waits for longer."""


class BusyError(SurfaceError):
    """Another file is being made."""


class Exports:
    """Makes files of the history.

    Args:
        store: Returns the hub's store, as a file.
        quarters: The same, open.
        devices: Returns the home's devices by id.
        zone: Where the home is, IANA name.
    """

    def __init__(
        self,
        store: Callable[[], Awaitable[StoreFile]],
        quarters: Quarters,
        devices: Callable[[], Mapping[str, Known]],
        zone: str,
    ) -> None:
        self._store = store
        self._quarters = quarters
        self._devices = devices
        self._zone = zone
        self._busy = False

    async def pieces(self, asked: Period, step: Grain, form: str) -> AsyncGenerator[bytes, None]:
        """Yield a file piece by piece.

        Args:
            asked: Start and end, UTC epoch seconds.
            step: Length of a period.
            form: "csv" or "parquet".

        Raises:
            BusyError: Another one is being made.
            SurfaceError: It cannot be made, or not to its end.
        """
        if self._busy:
            raise BusyError(say("Another file is being made; try again when it is done."))
        self._busy = True
        try:
            await self._quarters.fill()
            async with aclosing(_made(await self._order(asked, step, form))) as pieces:
                async for piece in pieces:
                    yield piece
        except TimeoutError as error:
            raise SurfaceError(say("The file took too long to make; ask for less.")) from error
        except StoreError as error:
            raise SurfaceError(say("The history cannot be read: {error}", error=error)) from error
        finally:
            self._busy = False

    async def _order(self, asked: Period, step: Grain, form: str) -> Order:
        devices = {
            device: Named(name=each.name, kind=each.kind)
            for device, each in self._devices().items()
        }
        file = await self._store()
        return Order(
            store=file.path,
            key=None if file.key is None else file.key.packed.hex(),
            zone=self._zone,
            devices=devices,
            start=asked[0],
            end=asked[1],
            step=step,
            form=form,
        )


async def _made(order: Order) -> AsyncGenerator[bytes, None]:
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "hems.reports.child", stdin=PIPE, stdout=PIPE, stderr=PIPE
    )
    said = asyncio.create_task(_said(child))
    until = asyncio.get_running_loop().time() + _LONGEST_S
    try:
        await _hand(child, order)
        if child.stdout is not None:
            while piece := await _read(child.stdout, until):
                yield piece
        code = await child.wait()
        if code == EXIT_NO_PARQUET:
            raise SurfaceError(_NO_PARQUET)
        if code != 0:
            why = await said
            raise SurfaceError(say("The file cannot be made: {reason}.", reason=why))
    finally:
        if child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            await child.wait()
        said.cancel()
        await asyncio.gather(said, return_exceptions=True)


async def _read(stdout: asyncio.StreamReader, until: float) -> bytes:
    # Not around the whole loop: what is awaited between two pieces is who reads them.
    async with asyncio.timeout_at(until):
        return await stdout.read(_PIECE)


async def _hand(child: Process, order: Order) -> None:
    if child.stdin is None:
        return
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        child.stdin.write(order.model_dump_json().encode())
        await child.stdin.drain()
        child.stdin.close()


async def _said(child: Process) -> str:
    """Return the last line of what it said of its trouble."""
    if child.stderr is None:
        return ""
    last = b""
    while line := await child.stderr.readline():
        last = line
    return last.decode(errors="replace").strip().rstrip(".")
