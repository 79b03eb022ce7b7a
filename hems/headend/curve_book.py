"""The curves of all programmes: what the operator made, durable first, then seen."""

from collections.abc import Sequence
from dataclasses import replace

from hems.clock import Clock
from hems.headend.curves import Curve, CurveOrder, make_curve, same
from hems.headend.db.held import Changed
from hems.headend.dispatch import Order, find_program, make_mrid
from hems.headend.errors import ConflictError, DispatchError, UnknownItemError
from hems.headend.modes import CURVES, Mode
from hems.headend.programmes import Programmes
from hems.headend.records import Program
from hems.headend.shelf import Owned, Shelf

MAX_CURVES = 500
"""Curves of one programme."""


class CurveBook:
    """Curves by programme. `Store.load` reads them.

    Args:
        shelf: Where they are kept, owned by their programme's mRID.
        programmes: The programmes; those before these, for curves name them.
        clock: The utility's time.
        pen: Private enterprise number for the mRIDs made here.
    """

    def __init__(self, shelf: Shelf[Curve], programmes: Programmes, clock: Clock, pen: int) -> None:
        self._shelf = shelf
        self._programmes = programmes
        self._clock = clock
        self._pen = pen
        self._curves: dict[str, Curve] = {}
        shelf.follow(self._take)

    def of(self, program: int) -> Sequence[Curve]:
        """Return a programme's curves, by creation time, then mRID, both descending."""
        found = [curve for curve in self._curves.values() if curve.program == program]
        return sorted(found, key=lambda curve: (curve.created, curve.mrid), reverse=True)

    @property
    def all(self) -> Sequence[Curve]:
        """All curves, the latest first."""
        return sorted(self._curves.values(), key=lambda c: (c.created, c.mrid), reverse=True)

    def curve(self, mrid: str) -> Curve:
        """Return a curve.

        Raises:
            UnknownItemError: There is none of this mRID.
        """
        found = self._curves.get(mrid.upper())
        if found is None:
            raise UnknownItemError(f"no curve {mrid[:40]!r}")
        return found

    async def add(
        self, mode: Mode, order: CurveOrder, program: Program, *, raw: bool = False
    ) -> Curve:
        """Return a curve of a programme that says this: one that is there already, or a new one.

        Raises:
            DispatchError: It makes no sense.
            ConflictError: The programme has too many.
            BusyError: The database cannot take it.
        """
        now = self._clock.now()
        made = make_curve(mode, order, program.index, now, make_mrid(now, self._pen), raw=raw)
        async with self._shelf.database.changing():
            known = self.of(program.index)
            for curve in known:
                if same(curve, made):
                    return curve
            if len(known) >= MAX_CURVES:
                raise ConflictError(f"programme {program.name!r} has {MAX_CURVES} curves already")
            await self._shelf.put((made.mrid, program.mrid, made))
        return made

    async def remove(self, mrid: str, used: frozenset[str]) -> None:
        """Forget a curve.

        Args:
            mrid: Its mRID.
            used: mRIDs of the curves that events or default controls name.

        Raises:
            UnknownItemError: There is none.
            ConflictError: It is used.
        """
        curve = self.curve(mrid)
        if curve.mrid in used:
            raise ConflictError(f"curve {curve.mrid} is named by an event or a default control")
        await self._shelf.drop(curve.mrid)

    async def resolve(self, order: Order) -> Order:
        """Return an order whose curves are all in its programme, by mRID among its values.

        Raises:
            DispatchError: A curve makes no sense, or a name leads to none that fits.
        """
        if not (order.curves or CURVES & order.modes):
            return order
        program = find_program(order, self._programmes.known)
        values = dict(order.values)
        for mode in CURVES & order.values.keys():
            values[mode] = self._named(mode, order.values[mode], program).mrid
        for mode, curve in order.curves.items():
            values[mode] = (await self.add(mode, curve, program, raw=order.raw)).mrid
        return replace(order, values=values, curves={}, program=program.mrid)

    def _named(self, mode: Mode, value: object, program: Program) -> Curve:
        curve = self._curves.get(str(value).upper())
        if curve is None or curve.program != program.index:
            raise DispatchError(f"{mode.value}: programme {program.name!r} has no such curve")
        if curve.mode is not mode:
            raise DispatchError(f"{mode.value}: curve {curve.mrid} is for {curve.mode.value}")
        return curve

    def _take(self, changes: Sequence[Changed[Owned[Curve]]]) -> None:
        """Put curves of known programmes where they belong."""
        for each in changes:
            self._curves.pop(each.key, None)
            owner = None if each.after is None else self._programmes.of_mrid(each.after.owner)
            if each.after is not None and owner is not None:
                self._curves[each.key] = replace(each.after.item, program=owner.index)
