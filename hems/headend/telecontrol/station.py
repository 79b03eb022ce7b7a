"""The controlled station: what a control centre asks or commands, and what it is answered."""

import logging
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from typing import Final, Protocol

from hems.clock import Clock
from hems.headend.errors import BusyError, RequestError
from hems.headend.telecontrol.asdu import (
    EVERYBODY,
    Asdu,
    Cause,
    Command,
    Element,
    Interrogation,
    Measured,
    Point,
    SetPoint,
    Type,
    answered,
    decode,
    encode,
    fitting,
)
from hems.headend.telecontrol.errors import AsduError
from hems.headend.telecontrol.ordering import Caller, Ordering
from hems.headend.telecontrol.points import Commanded, Place, Seen, Table
from hems.headend.telecontrol.reporting import Told
from hems.headend.telecontrol.selects import Selects

_ALL: Final = 20
_LAST_GROUP: Final = 36
_ASKED: Final = frozenset(
    {Type.C_SC_NA_1, Type.C_SE_NC_1, Type.C_IC_NA_1, Type.C_RD_NA_1, Type.C_CS_NA_1}
)
_OF_ALL: Final = frozenset({Type.C_IC_NA_1, Type.C_CS_NA_1})
"""Types that may be for all stations, and stand at object address 0."""
_CAUSES: Final[Mapping[int, frozenset[int]]] = {
    Type.C_SC_NA_1: frozenset({Cause.ACTIVATION, Cause.DEACTIVATION}),
    Type.C_SE_NC_1: frozenset({Cause.ACTIVATION, Cause.DEACTIVATION}),
    Type.C_IC_NA_1: frozenset({Cause.ACTIVATION, Cause.DEACTIVATION}),
    Type.C_RD_NA_1: frozenset({Cause.REQUEST}),
    Type.C_CS_NA_1: frozenset({Cause.ACTIVATION}),
}
_log = logging.getLogger(__name__)


class Board(Protocol):
    """All points as they stand."""

    async def fresh(self) -> Mapping[Place, Told]:
        """Return them, looked up anew where that was long ago."""
        ...


class Station:
    """Answers.

    Args:
        table: What is mapped.
        board: What can be seen.
        ordering: Carries commands out.
        clock: For how long selections hold.
    """

    def __init__(self, table: Table, board: Board, ordering: Ordering, clock: Clock) -> None:
        self._table = table
        self._board = board
        self._ordering = ordering
        self._clock = clock

    async def answer(self, octets: bytes, caller: Caller, selects: Selects) -> AsyncIterator[bytes]:
        """Yield the data units by which one of a control centre's is answered.

        Args:
            octets: It.
            caller: Whose it is.
            selects: What is selected on this connection.

        Raises:
            AsduError: It is none; the connection is to be closed.
        """
        unit = decode(octets)
        refusal = self._refusal(unit)
        if refusal is not None:
            self._log(caller, unit, f"refused: {refusal.name.lower().replace('_', ' ')}")
            yield answered(octets, refusal, negative=True)
            return
        address, element = unit.objects[0]
        match element:
            case Interrogation(qualifier):
                async for each in self._interrogated(octets, unit, qualifier):
                    yield each
            case Command() | SetPoint():
                for each in await self._commanded(octets, unit, element, caller, selects):
                    yield each
            case _ if unit.type == Type.C_RD_NA_1:
                points = await self._board.fresh()
                place = (unit.common, address)
                yield _units([(place, points[place])], Cause.REQUEST, timed=True)[0]
            case _:
                # The head-end's own clock is kept by NTP, and times the events of all homes:
                # another one that set it would move all of them.
                yield answered(octets, Cause.ACTIVATION_CON, negative=True)

    def _refusal(self, unit: Asdu) -> Cause | None:
        """Return why a data unit is not for this station; None where it is.

        Raises:
            AsduError: It has several objects, as none of these may.
        """
        if unit.type not in _ASKED:
            return Cause.UNKNOWN_TYPE
        if len(unit.objects) != 1:
            raise AsduError(f"{Type(unit.type).name} has {len(unit.objects)} objects")
        if unit.cause not in _CAUSES[unit.type]:
            return Cause.UNKNOWN_CAUSE
        everybody = unit.common == EVERYBODY and unit.type in _OF_ALL
        if unit.common not in self._table.commons and not everybody:
            return Cause.UNKNOWN_COMMON
        address, _ = unit.objects[0]
        place = (unit.common, address)
        if unit.type in _OF_ALL:
            known = address == 0
        elif unit.type == Type.C_RD_NA_1:
            known = place in self._table.seen
        else:
            row = self._table.commanded.get(place)
            known = row is not None and row.kind == unit.type
        return None if known else Cause.UNKNOWN_OBJECT

    async def _interrogated(
        self, octets: bytes, unit: Asdu, qualifier: int
    ) -> AsyncIterator[bytes]:
        if unit.cause == Cause.DEACTIVATION:  # each is answered whole before the next is looked at
            yield answered(octets, Cause.DEACTIVATION_CON, negative=True)
            return
        if not _ALL <= qualifier <= _LAST_GROUP:
            yield answered(octets, Cause.ACTIVATION_CON, negative=True)
            return
        commons = self._table.commons if unit.common == EVERYBODY else (unit.common,)
        for common in commons:
            asked = octets[:4] + common.to_bytes(2, "little") + octets[6:]
            yield answered(asked, Cause.ACTIVATION_CON)
            points = await self._board.fresh()
            chosen = [
                (place, points[place])
                for place, seen in self._table.seen.items()
                if place[0] == common and _is_asked(seen, qualifier)
            ]
            for each in _units(chosen, qualifier, timed=False, originator=unit.originator):
                yield each
            yield answered(asked, Cause.TERMINATION)

    async def _commanded(
        self,
        octets: bytes,
        unit: Asdu,
        command: Command | SetPoint,
        caller: Caller,
        selects: Selects,
    ) -> Sequence[bytes]:
        place = (unit.common, unit.objects[0][0])
        if unit.cause == Cause.DEACTIVATION:
            there = selects.cancel(place, self._clock.monotonic())
            return [answered(octets, Cause.DEACTIVATION_CON, negative=not there)]
        why: str | None = "it is marked as a test"
        if not unit.test:
            why = await self._why_not(self._table.commanded[place], command, caller, selects)
        if why is not None:
            self._log(caller, unit, f"refused at {place[0]}/{place[1]}: {why}")
            return [answered(octets, Cause.ACTIVATION_CON, negative=True)]
        confirmed = answered(octets, Cause.ACTIVATION_CON)
        done = answered(octets, Cause.TERMINATION)
        return [confirmed] if command.select else [confirmed, done]

    async def _why_not(
        self,
        row: Commanded,
        command: Command | SetPoint,
        caller: Caller,
        selects: Selects,
    ) -> str | None:
        """Do what is commanded; returns why it was not done, None where it was."""
        now = self._clock.monotonic()
        value = command.value if isinstance(command, SetPoint) else float(command.on)
        unselected = None if command.select else selects.use(row.place, value, now)
        if unselected is not None and not row.direct:
            return unselected
        try:
            if command.select:
                await self._ordering.check(row, value, caller)
                selects.select(row.place, value, now)
            else:
                await self._ordering.carry_out(row, value, caller)
        except (RequestError, BusyError) as error:
            return str(error)
        return None

    @staticmethod
    def _log(caller: Caller, unit: Asdu, said: str) -> None:
        names = {kind.value: kind.name for kind in Type}
        what = names.get(unit.type, f"type {unit.type}")
        _log.warning("%s (%s): %s %s", caller.centre, caller.origin, what, said)


def reports(
    points: Iterable[tuple[Place, Told]],
) -> Iterator[tuple[Sequence[tuple[Place, Told]], bytes]]:
    """Yield points that are told by themselves as data units, each beside what is in it."""
    for kind, common, some in _parts(points, timed=True):
        chosen = [((common, address), each) for address, each in some]
        yield chosen, _unit(kind, common, some, Cause.SPONTANEOUS, 0)


_Part = tuple[Type, int, list[tuple[int, Told]]]


def _parts(points: Iterable[tuple[Place, Told]], *, timed: bool) -> Iterator[_Part]:
    """Yield points by what may stand in one data unit, in their order."""
    whole: _Part | None = None
    for (common, address), each in points:
        kind = _kind(each, timed=timed)
        if whole is not None and whole[:2] == (kind, common) and len(whole[2]) < fitting(kind):
            whole[2].append((address, each))
            continue
        if whole is not None:
            yield whole
        whole = kind, common, [(address, each)]
    if whole is not None:
        yield whole


def _units(
    points: Iterable[tuple[Place, Told]], cause: int, *, timed: bool, originator: int = 0
) -> Sequence[bytes]:
    return [
        _unit(kind, common, some, cause, originator)
        for kind, common, some in _parts(points, timed=timed)
    ]


def _unit(
    kind: Type, common: int, some: Iterable[tuple[int, Told]], cause: int, originator: int
) -> bytes:
    timed = kind in {Type.M_SP_TB_1, Type.M_ME_TF_1}
    objects = tuple((address, each if timed else _untimed(each)) for address, each in some)
    return encode(Asdu(kind, cause, common, objects, originator))


def _kind(told: Told, *, timed: bool) -> Type:
    if isinstance(told, Point):
        return Type.M_SP_TB_1 if timed else Type.M_SP_NA_1
    return Type.M_ME_TF_1 if timed else Type.M_ME_NC_1


def _untimed(told: Told) -> Element:
    if isinstance(told, Point):
        return Point(told.on, told.quality)
    return Measured(told.value, told.quality)


def _is_asked(seen: Seen, qualifier: int) -> bool:
    return qualifier == _ALL or seen.interrogation == qualifier - _ALL
