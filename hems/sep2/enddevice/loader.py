"""Loads the file that a server has for this device, and tells how far it got (FileStatus).

It ends where the file is here and found good; to put it into service is another's work, who tells
the last states by `tell`.
"""

import asyncio
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import IntEnum
from pathlib import Path
from typing import Final

from hems.sep2 import resources as res
from hems.sep2.enddevice.download import Download, FileError, StorageError, Store, Verify
from hems.sep2.enddevice.files import Target, choose
from hems.sep2.errors import BusyError, Sep2Error
from hems.sep2.transport.backoff import Backoff
from hems.sep2.transport.http import Transport
from hems.sep2.transport.troubles import Troubles

_log = logging.getLogger(__name__)

_LATER_S: Final = 3600.0
"""How long to wait before a file that was not good, or could not be kept, is tried again."""
_STEP: Final = 10
"""The share loaded is told in steps of so many per cent."""
_COUNT_MOST: Final = 0xFFFF


class State(IntEnum):
    """FileStatus.status."""

    NONE = 0
    LOADING = 1
    LOAD_FAILED = 2
    VERIFYING = 3
    NOT_GOOD = 4
    WAITING = 5
    ACTIVATION_FAILED = 6
    ACTIVATING = 7
    ACTIVE = 8


@dataclass(frozen=True, slots=True)
class Loaded:
    """A file that is here and found good.

    Attributes:
        file: As the server describes it, with when it is to be activated.
        path: Where it is.
    """

    file: res.File
    path: Path


@dataclass(frozen=True, slots=True)
class FileWish:
    """What files a device takes, and what becomes of them.

    Attributes:
        target: The device.
        store: Where they are kept.
        verify: Says whether one is good.
        on_loaded: Told of one that is; again when its activateTime changes. Must not block.
    """

    target: Target
    store: Store
    verify: Verify
    on_loaded: Callable[[Loaded], None]


class FileLoader:
    """Keeps one device's file up to what the server offers.

    Args:
        wish: See `FileWish`.
        transport: Way to the server.
        server_time: Returns the server's time, epoch seconds.
        rng: For jitter.
        troubles: What goes wrong now.
        longest_s: Longest wait after a failure that may pass by itself.
    """

    def __init__(
        self,
        wish: FileWish,
        transport: Transport,
        server_time: Callable[[], float],
        rng: random.Random,
        troubles: Troubles,
        *,
        longest_s: float = 300.0,
    ) -> None:
        self._wish = wish
        self._transport = transport
        self._server_time = server_time
        self._rng = rng
        self._troubles = troubles
        self._longest_s = longest_s
        self._place: str | None = None
        self._file: res.File | None = None
        self._status: res.FileStatus | None = None
        self._changed = asyncio.Event()

    def use(self, device: res.EndDevice | None) -> None:
        """Set the EndDevice, whose FileStatusLink says where the status goes."""
        link = device.file_status_link if device is not None else None
        place = link.href if link is not None else None
        if place != self._place:
            self._place = place
            self._changed.set()

    def offered(self, files: res.FileList) -> None:
        """Take in what the server offers now."""
        chosen = choose(files.file, self._wish.target)
        if chosen != self._file:
            self._file = chosen
            self._changed.set()

    async def tell(self, state: State) -> None:
        """Tell the server how the activation went.

        Raises:
            Sep2Error: It cannot be told now.
        """
        if self._file is not None:
            await self._tell(self._file, state)

    async def run(self) -> None:
        """Load what is offered; never returns."""
        while True:
            self._changed.clear()
            file = self._file
            if file is None:
                await self._changed.wait()
                continue
            async with asyncio.TaskGroup() as group:
                loading = group.create_task(self._load(file))
                await self._changed.wait()
                loading.cancel()

    async def _load(self, file: res.File) -> None:
        download = Download(self._transport, file, self._wish.store, self._wish.verify)
        name, backoff = f"file {file.file_uri}", Backoff(self._rng, longest_s=self._longest_s)
        self._status = None
        while True:
            try:
                await self._fetch(file, download)
            except Sep2Error as error:
                if self._troubles.meet(name, error):
                    _log.warning("%s", error)
                its_own = isinstance(error, FileError | StorageError)
                wait_s = _LATER_S if its_own else backoff.failed(error)
                await self._count(file, error, wait_s)
                await asyncio.sleep(wait_s)
            else:
                self._troubles.over(name)
                self._wish.on_loaded(Loaded(file, download.path))
                return

    async def _fetch(self, file: res.File, download: Download) -> None:
        if await download.is_here():
            await self._try_tell(file, State.WAITING, percent=100)
            return
        await self._try_tell(file, State.LOADING, percent=0)
        last = 0

        async def progress(octets: int) -> None:
            nonlocal last
            percent = octets * 100 // file.size
            if percent // _STEP > last // _STEP:
                await self._try_tell(file, State.LOADING, percent=percent)
            last = percent

        await download.fetch(progress)
        await self._try_tell(file, State.VERIFYING, percent=100)
        try:
            await download.finish()
        except FileError:
            await self._try_tell(file, State.NOT_GOOD)
            raise
        await self._try_tell(file, State.WAITING)

    async def _count(self, file: res.File, error: Sep2Error, wait_s: float) -> None:
        """Tell that an attempt failed, unless it was told that the file is not good."""
        before = self._status
        if before is None or before.status == State.NOT_GOOD:
            return
        busy = isinstance(error, BusyError)
        given_up = isinstance(error, FileError | StorageError)
        self._status = replace(
            before,
            request503_count=min(_COUNT_MOST, before.request503_count + busy),
            request_fail_count=min(_COUNT_MOST, before.request_fail_count + (not busy)),
            next_request_attempt=round(self._server_time() + wait_s),
        )
        await self._try_tell(
            file, State.LOAD_FAILED if given_up else State(before.status), next_s=wait_s
        )

    async def _try_tell(
        self, file: res.File, state: State, *, percent: int | None = None, next_s: float = 0.0
    ) -> None:
        """Tell the status; that a server will not hear it stops no file."""
        try:
            await self._tell(file, state, percent=percent, next_s=next_s)
        except Sep2Error as error:
            if self._troubles.meet("FileStatus", error):
                _log.warning("the file's status cannot be told: %s", error)
        else:
            self._troubles.over("FileStatus")

    async def _tell(
        self, file: res.File, state: State, *, percent: int | None = None, next_s: float = 0.0
    ) -> None:
        now = round(self._server_time())
        before = self._status
        changed = before is None or before.status != state
        self._status = res.FileStatus(
            activate_time=file.activate_time,
            file_link=res.Link(href=file.href) if file.href else None,
            load_percent=_kept(percent, before),
            next_request_attempt=round(now + next_s),
            request503_count=before.request503_count if before else 0,
            request_fail_count=before.request_fail_count if before else 0,
            status=state,
            status_time=now if changed or before is None else before.status_time,
        )
        if self._place is not None:
            await self._transport.put(self._place, self._status)


def _kept(percent: int | None, before: res.FileStatus | None) -> int:
    if percent is not None:
        return percent
    return before.load_percent if before is not None else 0
