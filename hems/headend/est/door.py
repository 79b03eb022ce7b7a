"""The operator's side of enrolment: codes made and taken back, homes approved and refused."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, Field

from certs.est.code import EnrolmentCode, server_of
from hems.headend.est.records import Code, Enrolment
from hems.headend.est.register import Register, Wanted
from hems.headend.operator_asks import PinIn
from hems.headend.operator_door import json_answer, read_model
from hems.headend.records import Edition

_HOUR_S = 3600.0
_MOST_HOURS = 8760.0


class CodeIn(PinIn):
    """A code that is wanted."""

    pin: str | None = None
    """Registration PIN; drawn where None."""
    edition: Edition | None = None
    serial: Annotated[str, Field(pattern=r"^([0-9A-Fa-f]{2}){0,64}$")] = ""
    """hwSerialNum of the only hardware that may use it, hex."""
    hours: Annotated[float, Field(gt=0, le=_MOST_HOURS)] | None = None
    manufacturer: bool = False
    """Whether homes show a manufacturer's certificate instead: a code without a secret, for any
    number of them, each of which is approved by hand."""


class CodeOut(BaseModel):
    """A code; its text is told once, when it is made."""

    id: str
    text: str | None
    expires_at: float | None
    used: bool
    pin: str | None


class CodesOut(BaseModel):
    """All codes."""

    codes: list[CodeOut]


class DecisionIn(PinIn):
    """What the operator says of a home that waits."""


class EnrolmentOut(BaseModel):
    """A home that asked for a certificate."""

    id: str
    state: str
    hardware_kind: str
    serial: str
    code: str
    asked_at: float
    lfdi: str
    replaces: str
    pin: str | None


class EnrolmentsOut(BaseModel):
    """All of them."""

    enrolments: list[EnrolmentOut]


class EstDoor:
    """Codes and enrolments for the operator.

    Args:
        register: They.
        lasting_s: How long codes can be used where nobody says it.
        reached_at: Returns HOST:PORT of the EST server as homes reach it.
        mark: Returns the fingerprint of the root, as codes carry it.
        edition: What homes speak of which nobody says it.
        refresh: Has the servers read the revocation lists again.
    """

    def __init__(
        self,
        register: Register,
        *,
        lasting_s: float,
        reached_at: Callable[[], str],
        mark: Callable[[], Awaitable[bytes]],
        edition: Edition,
        refresh: Callable[[], None],
    ) -> None:
        self._register = register
        self._lasting_s = lasting_s
        self._reached_at = reached_at
        self._mark = mark
        self._edition = edition
        self._refresh = refresh

    def routes(self) -> list[web.RouteDef]:
        """Return where these resources stand."""
        return [
            web.post("/enrolment-codes", self.post_code),
            web.get("/enrolment-codes", self.get_codes),
            web.delete("/enrolment-codes/{id}", self.delete_code),
            web.get("/enrolments", self.get_enrolments),
            web.post("/enrolments/{id}/approve", self.post_approval),
            web.post("/enrolments/{id}/refuse", self.post_refusal),
            web.post("/homes/{lfdi}/revoke", self.post_revocation),
        ]

    async def post_code(self, request: web.Request) -> web.Response:
        """Make a code."""
        wish = await read_model(request, CodeIn)
        (host, port), mark = server_of(self._reached_at()), await self._mark()
        if wish.manufacturer:
            text = EnrolmentCode(host, port, mark).text()
            return json_answer(CodeOut(id="", text=text, expires_at=None, used=False, pin=None))
        lasting_s = self._lasting_s if wish.hours is None else wish.hours * _HOUR_S
        pin = None if wish.pin is None else int(wish.pin)
        wanted = Wanted(pin, wish.edition or self._edition, wish.serial, lasting_s)
        code, secret = await self._register.make_code(wanted)
        text = EnrolmentCode(host, port, mark, secret, _pin(code.pin)).text()
        return json_answer(_code(code, text), 201, {"Location": f"/enrolment-codes/{code.id}"})

    async def get_codes(self, _request: web.Request) -> web.Response:
        """Answer all codes; their secrets are kept nowhere."""
        return json_answer(CodesOut(codes=[_code(each, None) for each in self._register.codes]))

    async def delete_code(self, request: web.Request) -> web.Response:
        """Make a code worthless."""
        await self._register.drop_code(request.match_info["id"])
        return web.Response(status=204)

    async def get_enrolments(self, _request: web.Request) -> web.Response:
        """Answer all homes that asked for a certificate."""
        found = [_enrolment(each) for each in self._register.enrolments]
        return json_answer(EnrolmentsOut(enrolments=found))

    async def post_approval(self, request: web.Request) -> web.Response:
        """Let a home that waits have its certificate."""
        wish = await read_model(request, DecisionIn) if request.body_exists else DecisionIn()
        pin = None if wish.pin is None else int(wish.pin)
        done = await self._register.decide(request.match_info["id"], good=True, pin=pin)
        return json_answer(_enrolment(done))

    async def post_refusal(self, request: web.Request) -> web.Response:
        """Refuse a home that waits."""
        done = await self._register.decide(request.match_info["id"], good=False)
        return json_answer(_enrolment(done))

    async def post_revocation(self, request: web.Request) -> web.Response:
        """Take a home's certificate back; its connections end at their next request."""
        done = await self._register.revoke(request.match_info["lfdi"].upper())
        self._refresh()
        return json_answer(EnrolmentsOut(enrolments=[_enrolment(each) for each in done]))


def _code(code: Code, text: str | None) -> CodeOut:
    return CodeOut(
        id=code.id,
        text=text,
        expires_at=code.expires_at,
        used=bool(code.used_by),
        pin=_pin(code.pin),
    )


def _enrolment(item: Enrolment) -> EnrolmentOut:
    return EnrolmentOut(
        id=item.id,
        state=item.state.value,
        hardware_kind=item.kind,
        serial=item.serial,
        code=item.code,
        asked_at=item.asked_at,
        lfdi=item.lfdi,
        replaces=item.replaces,
        pin=None if item.pin is None else _pin(item.pin),
    )


def _pin(pin: int) -> str:
    return f"{pin:06d}"
