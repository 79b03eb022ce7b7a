"""Telecontrol put together."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

from hems.clock import Clock
from hems.headend.book import Book
from hems.headend.errors import SettingsError
from hems.headend.fleet.memory import FleetMemory
from hems.headend.operators.trail import Trail
from hems.headend.orders.desk import OrderDesk
from hems.headend.settings import HeadEndSettings
from hems.headend.settle.assembly import Settlement
from hems.headend.store import Store
from hems.headend.telecontrol.board import Board
from hems.headend.telecontrol.door import Door
from hems.headend.telecontrol.figures import Figures, Sources
from hems.headend.telecontrol.mapping import load_table
from hems.headend.telecontrol.ordering import Ordering
from hems.headend.telecontrol.points import Table
from hems.headend.telecontrol.settings import TelecontrolSettings
from hems.headend.telecontrol.station import Station


class Telecontrol:
    """All of it: the table as it was at the start.

    Args:
        settings: Who calls, and where.
        door: Lets control centres in.
        board: Looks points up.
    """

    def __init__(self, settings: TelecontrolSettings, door: Door, board: Board) -> None:
        self._settings = settings
        self._door = door
        self._board = board

    def open(self, stack: AsyncExitStack) -> str:
        """Listen; returns HOST:PORT, empty while another worker of the machine does.

        Args:
            stack: Ends it.

        Raises:
            SettingsError: It cannot listen there.
        """
        stack.callback(self._door.close)
        self._door.open()
        host, port = self._settings.host, self._door.port
        shown = f"[{host}]" if ":" in host else host
        return "" if port is None else f"{shown}:{port}"

    async def run(self) -> None:
        """Serve until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._door.run())
            group.create_task(self._board.run(lambda: self._door.wanted))


def assemble_telecontrol(
    settings: HeadEndSettings,
    book: Book,
    store: Store,
    fleet: FleetMemory,
    settlement: Settlement,
    *,
    desk: OrderDesk,
    trail: Trail,
    clock: Clock,
) -> Telecontrol | None:
    """Put it together; None where nothing is configured.

    Args:
        settings: The head-end's.
        book: Homes and events.
        store: The open database.
        fleet: Groups.
        settlement: What groups could do, and what events bring.
        desk: Takes orders.
        trail: Where they are written down.
        clock: The utility's time.

    Raises:
        SettingsError: The mapping table is wrong; every line of it that is is named.
        CertificateError: A certificate or key cannot be used.
    """
    own = settings.telecontrol
    if own is None:
        return None
    table = load_table(own.table)
    _check_programs(own.table, table, settings)
    sources = Sources(
        book,
        fleet,
        settlement.abilities,
        settlement.tallies,
        settlement.counts,
        settlement.ask,
        settings.settlement,
    )
    board = Board(table, Figures(table, sources, clock), clock, own.look_s)
    ordering = Ordering(desk, trail, store, book, fleet, clock=clock, resend_s=own.resend_s)
    station = Station(table, board, ordering, clock)
    door = Door(own, table, station, board, clock, shared=settings.reuse_port)
    return Telecontrol(own, door, board)


def _check_programs(path: Path, table: Table, settings: HeadEndSettings) -> None:
    known = {program.name.casefold() for program in settings.programs}
    for name in sorted(table.programs):
        if name.casefold() not in known:
            names = ", ".join(program.name for program in settings.programs)
            raise SettingsError(f"{path}: there is no programme {name!r}; there are: {names}")
