"""The operator's door for curves and default controls."""

from typing import Self

from aiohttp import web
from pydantic import BaseModel

from hems.headend.book import Book
from hems.headend.curve_book import CurveBook
from hems.headend.curves import Curve, CurveOrder, Point
from hems.headend.default_book import DefaultBook
from hems.headend.dispatch import Order, find_program
from hems.headend.modes import Mode, Value
from hems.headend.operator_asks import AsksIn, Finite, NewCurveIn
from hems.headend.operator_door import json_answer, read_model
from hems.headend.records import Default, Program
from hems.headend.store import Store


class DefaultIn(AsksIn):
    """All that is to hold while no event does; what is left out holds no more."""

    set_grad_w: Finite | None = None
    """Default rate of change, per cent of setMaxW a second."""


class DefaultOut(BaseModel):
    """What holds while no event does."""

    program: str
    asks: dict[Mode, Value]
    ramp_s: float | None
    set_grad_w: float | None

    @classmethod
    def of(cls, program: Program, default: Default) -> Self:
        """Take a record over."""
        return cls(
            program=program.name,
            asks=dict(default.values),
            ramp_s=default.ramp_s,
            set_grad_w=default.set_grad_w,
        )


class CurveOut(BaseModel):
    """A curve; see `hems.headend.curves.CurveOrder` for units and signs."""

    id: str
    program: str
    mode: Mode
    created: int
    points: tuple[Point, ...]
    of: str | None
    name: str | None

    @classmethod
    def made(cls, curve: Curve, program: str) -> Self:
        """Take a record over."""
        order = curve.order
        return cls(
            id=curve.mrid,
            program=program,
            mode=curve.mode,
            created=curve.created,
            points=order.points,
            of=order.of,
            name=order.name,
        )


class CurvesOut(BaseModel):
    """All curves, the latest first."""

    curves: list[CurveOut]


class DerDoor:
    """Curves and default controls.

    Args:
        book: For the curves that events name.
        curves: The curves.
        defaults: The default controls.
        store: Where all of that is kept.
    """

    def __init__(self, book: Book, curves: CurveBook, defaults: DefaultBook, store: Store) -> None:
        self._store = store
        self._book = book
        self._curves = curves
        self._defaults = defaults

    def routes(self) -> list[web.RouteDef]:
        """Return where these stand."""
        return [
            web.get("/curves", self.get_curves),
            web.post("/curves", self.post_curve),
            web.delete("/curves/{id}", self.delete_curve),
            web.get("/programs/{program}/default", self.get_default),
            web.put("/programs/{program}/default", self.put_default),
        ]

    async def get_curves(self, _request: web.Request) -> web.Response:
        """Answer all curves, the latest first."""
        return json_answer(CurvesOut(curves=[self._out(curve) for curve in self._curves.all]))

    async def post_curve(self, request: web.Request) -> web.Response:
        """Make a curve; one that says the same is answered instead of a second one."""
        wish = await read_model(request, NewCurveIn)
        order: CurveOrder = wish.order()
        programs = self._book.programmes.known
        program = find_program(Order({}, 0.0, wish.program, curves={wish.mode: order}), programs)
        curve = await self._curves.add(wish.mode, order, program, raw=wish.raw)
        return json_answer(self._out(curve), 201, {"Location": f"/curves/{curve.mrid}"})

    async def delete_curve(self, request: web.Request) -> web.Response:
        """Forget a curve that nothing names."""
        async with self._store.changing():
            curve = self._curves.curve(request.match_info["id"])
            named = {v for e in self._book.events for v in e.values.values() if isinstance(v, str)}
            await self._curves.remove(curve.mrid, self._defaults.curves | named)
        return json_answer(self._out(curve))

    async def get_default(self, request: web.Request) -> web.Response:
        """Answer a programme's default control."""
        program = self._defaults.program(request.match_info["program"])
        return json_answer(DefaultOut.of(program, self._defaults.of(program.index)))

    async def put_default(self, request: web.Request) -> web.Response:
        """Set a programme's default control; it is on its way when this answers."""
        wish = await read_model(request, DefaultIn)
        program = self._defaults.program(request.match_info["program"])
        order = Order(wish.asked, 0.0, curves=wish.curves(), ramp_s=wish.ramp_s, raw=wish.raw)
        default = await self._defaults.set(program.mrid, order, wish.set_grad_w)
        return json_answer(DefaultOut.of(program, default))

    def _out(self, curve: Curve) -> CurveOut:
        return CurveOut.made(curve, self._book.programs[curve.program].name)
