"""A device joins the running home from its page: one at a time, and only for good once agreed.

It is written into the devices file so that the home takes it up, moved, and shown. Unless its owner
then says that it shall stay, it is taken out again, also when the hub is stopped meanwhile.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from der.errors import DeviceError
from der.sentence import say
from hems.access.rights import Who
from hems.device_surface import MoveOutcome
from hems.settings.config import Config, load
from hems.settings.device_section import DeviceSection
from hems.settings.device_table import ID_LENGTH, id_of
from hems.settings.devices_file import Table, Value
from hems.settings.toml_file import ConfigError
from hems.setup.device_edit import free_id
from hems.setup.device_file import KeptDevices
from hems.setup.draft import LackingError, NotAddedError, Wanted, drafted
from hems.setup.found_surface import BusyError, Joining, JoinState, JoinView, RefusedError
from hems.setup.joining import RunningHome, controlled, taken
from hems.setup.kept_scan import ScanError, result
from hems.setup.words import said
from hems.surface import SurfaceError

ASKED_S: Final = 900.0
"""Who has not said by then whether a device shall stay has walked away."""
_REFUSALS: Final = (ConfigError, DeviceError, NotAddedError, ScanError, SurfaceError)
T = TypeVar("T")
Stays = Callable[[str, Who], Awaitable[None]]


async def nobody(device: str, who: Who) -> None:
    """Tell nobody."""
    del device, who


class Admission:
    """One device after the other.

    Args:
        path: The configuration file.
        home: The running home.
        asked_s: How long its owner is asked whether it shall stay, in s.
        stays: Told the id of a device that was tried out and is kept, and who says so.
    """

    def __init__(
        self,
        path: Path,
        home: RunningHome,
        asked_s: float = ASKED_S,
        stays: Stays = nobody,
    ) -> None:
        self._stays = stays
        self._path = path
        self._kept = KeptDevices(path)
        self._home = home
        self._asked_s = asked_s
        self._view = JoinView()
        self._task: asyncio.Task[None] | None = None
        self._agreed = asyncio.Event()
        self._agreed_by: Who | None = None

    @property
    def view(self) -> JoinView:
        """How the last one stands."""
        return self._view

    def join(self, joining: Joining) -> JoinView:
        """Have a device join; raises BusyError while another one does."""
        if self._task is not None and not self._task.done():
            raise BusyError(
                say("{name} is being added; say first whether it shall stay.", name=self._view.name)
            )
        self._view = JoinView(JoinState.DRAFTING, name=joining.name)
        self._agreed, self._agreed_by = asyncio.Event(), None
        self._task = asyncio.create_task(self._run(joining))
        return self._view

    async def confirm(self, who: Who) -> JoinView:
        """Keep the device that is asked about, on somebody's word; raises RefusedError for none."""
        if self._view.state is not JoinState.ASKING or self._task is None:
            raise RefusedError(say("No device waits to be added."))
        self._agreed_by = who
        self._agreed.set()
        await asyncio.wait({self._task})
        return self._view

    async def drop(self) -> JoinView:
        """Give up the device that is to join; nothing happens if none is."""
        if self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait({self._task})
        return self._view

    async def _run(self, joining: Joining) -> None:
        try:
            section, table = await self._written(joining)
        except LackingError as error:
            self._show(state=JoinState.REFUSED, error=said(error), lacking=error.key)
        except _REFUSALS as error:
            self._show(state=JoinState.REFUSED, error=said(error))
        except asyncio.CancelledError:
            self._show(state=JoinState.LEFT)
            raise
        else:
            await self._tried(section, table, joining)

    async def _written(self, joining: Joining) -> tuple[DeviceSection, Table]:
        """Write its section into the devices file, for the home to take it up."""
        config = await asyncio.to_thread(load, self._path)
        row = None
        if joining.number is not None:
            row = result(joining.number, config.home.devices)
        wanted = Wanted(joining.name, _with_id(joining, config), row)
        table = await drafted(wanted)
        self._show(device=str(table["id"]), state=JoinState.TAKING)
        add = partial(self._kept.add, table, joining.name)
        try:
            return await _to_its_end(add), table
        except asyncio.CancelledError:
            await self._taken_out(str(table["id"]))
            raise

    async def _tried(self, section: DeviceSection, table: Table, joining: Joining) -> None:
        """Show a device that was written down, and keep it or take it out again."""
        stays = False
        try:
            self._show(detail=await taken(self._home, section))
            if joining.tests and controlled(section):
                self._show(state=JoinState.MOVING)
                outcome = await self._home.test(section.id, joining.move_s, self._move)
                self._show(outcome=outcome)
            self._show(state=JoinState.ASKING, share=1.0)
            async with asyncio.timeout(self._asked_s):
                await self._agreed.wait()
            stays = await self._finished(section, self._view.outcome, table)
            self._show(state=JoinState.ADDED)
        except TimeoutError:
            self._show(state=JoinState.LEFT)
        except _REFUSALS as error:
            self._show(state=JoinState.REFUSED, error=said(error))
        except asyncio.CancelledError:
            self._show(state=JoinState.LEFT)
            raise
        finally:
            if not stays:
                await self._taken_out(section.id)

    async def _finished(
        self, section: DeviceSection, outcome: MoveOutcome | None, table: Table
    ) -> bool:
        """Note the phases that the meter saw a device on; returns that it stays."""
        if self._agreed_by is not None:
            await self._stays(section.id, self._agreed_by)
        if outcome is None or not outcome.phases or "connected_to" in table:
            return True
        phases = [str(phase) for phase in outcome.phases]

        def told_apart(table: Table, config: Config) -> Table:
            return {**table, "connected_to": phases} if config.home.phases > 1 else table

        await _to_its_end(partial(self._kept.change, section.id, told_apart))
        return True

    async def _taken_out(self, device: str) -> None:
        try:
            await _to_its_end(partial(self._kept.take_out, device))
        except ConfigError as error:
            self._show(error=said(error))

    def _move(self, share: float, doing: str) -> None:
        self._show(share=share, doing=doing)

    def _show(self, **changes: object) -> None:
        self._view = replace(self._view, **changes)  # type: ignore[arg-type]


def _with_id(joining: Joining, config: Config) -> Mapping[str, Value]:
    """Return what was given, with an id that no device has yet."""
    wanted = id_of(joining.name)
    if "id" in joining.given or not wanted:
        return joining.given
    taken_ids = frozenset(section.id for section in config.device)
    return {"id": free_id(wanted, taken_ids, ID_LENGTH), **joining.given}


async def _to_its_end(change: Callable[[], T]) -> T:
    """Make a change of a file beside the event loop; who is cancelled meanwhile waits for it."""
    task = asyncio.create_task(asyncio.to_thread(change))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise
