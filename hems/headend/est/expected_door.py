"""The operator's side of hubs that are approved before they ask."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, Field

from certs.est.code import EnrolmentCode, server_of
from certs.hwname import HardwareName
from hems.headend.est.expected import Expected, ExpectedHubs, Expecting
from hems.headend.modes import Edition
from hems.headend.operator_asks import In, PinIn
from hems.headend.operator_door import json_answer, read_model

_DAY_S = 86_400.0
_MOST_AT_ONCE = 5_000


class ExpectedHubIn(PinIn):
    """A hub that is to come."""

    kind: Annotated[str, Field(pattern=r"^[0-2](\.(0|[1-9][0-9]{0,18})){1,30}$")]
    """hwType of its manufacturer's certificate, an object identifier."""
    serial: Annotated[str, Field(pattern=r"^([0-9A-Fa-f]{2}){1,64}$")]
    """hwSerialNum in it, hex."""
    pin: str | None = None
    """Registration PIN; drawn where None."""
    edition: Edition | None = None


class ExpectedHubsIn(In):
    """Hubs that are to come, all of them or none."""

    hubs: Annotated[list[ExpectedHubIn], Field(min_length=1, max_length=_MOST_AT_ONCE)]
    days: Annotated[float, Field(gt=0, le=3650)] = 365.0
    """How long they are waited for."""


class ExpectedHubOut(BaseModel):
    """A hub that is expected, and the code that its owner is given: it holds no secret."""

    id: str
    kind: str
    serial: str
    pin: str
    code: str
    expires_at: float
    used: bool


class ExpectedHubsOut(BaseModel):
    """Several."""

    hubs: list[ExpectedHubOut]


class ExpectedDoor:
    """Hubs that are approved before they ask, for the operator.

    Args:
        hubs: They.
        reached_at: Returns HOST:PORT of the EST server as homes reach it.
        mark: Returns the fingerprint of the root, as codes carry it.
        edition: What homes speak of which nobody says it.
    """

    def __init__(
        self,
        hubs: ExpectedHubs,
        *,
        reached_at: Callable[[], str],
        mark: Callable[[], Awaitable[bytes]],
        edition: Edition,
    ) -> None:
        self._hubs = hubs
        self._reached_at = reached_at
        self._mark = mark
        self._edition = edition

    def routes(self) -> list[web.RouteDef]:
        """Return where these resources stand."""
        return [
            web.post("/expected-hubs", self.post_hubs),
            web.get("/expected-hubs", self.get_hubs),
            web.delete("/expected-hubs/{id}", self.delete_hub),
        ]

    async def post_hubs(self, request: web.Request) -> web.Response:
        """Approve hubs before they ask."""
        wish = await read_model(request, ExpectedHubsIn)
        hubs = [
            Expecting(
                HardwareName(each.kind, bytes.fromhex(each.serial)),
                None if each.pin is None else int(each.pin),
                each.edition or self._edition,
            )
            for each in wish.hubs
        ]
        made = await self._hubs.add(hubs, wish.days * _DAY_S)
        mark = await self._mark()
        return json_answer(ExpectedHubsOut(hubs=[self._told(each, mark) for each in made]), 201)

    async def get_hubs(self, _request: web.Request) -> web.Response:
        """Answer all hubs that are expected, or have come."""
        mark = await self._mark()
        hubs = [self._told(each, mark) for each in self._hubs.all]
        return json_answer(ExpectedHubsOut(hubs=hubs))

    async def delete_hub(self, request: web.Request) -> web.Response:
        """Expect a hub no more."""
        await self._hubs.drop(request.match_info["id"])
        return json_answer(ExpectedHubsOut(hubs=[]))

    def _told(self, hub: Expected, mark: bytes) -> ExpectedHubOut:
        host, port = server_of(self._reached_at())
        pin = f"{hub.pin:06d}"
        return ExpectedHubOut(
            id=hub.id,
            kind=hub.kind,
            serial=hub.serial,
            pin=pin,
            code=EnrolmentCode(host, port, mark, pin=pin).text(),
            expires_at=hub.expires_at,
            used=bool(hub.used_by),
        )
