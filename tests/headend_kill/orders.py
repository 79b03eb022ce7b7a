"""Orders by three ways: the operator's door, the enterprise's door, and the broker.

Each asks for a power of its own, by which it is known wherever it turns up.
"""

import asyncio
import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp
import nats
from nats.errors import Error as NatsError

from hems.headend.cim.der import (
    CurvePoint,
    DERGroupDispatches,
    DERGroups,
    DeviceGroup,
    DispatchParameter,
    EndDevice,
    GroupAsked,
    GroupDispatch,
    Multiplier,
    Name,
    Parameter,
    Schedule,
    TimeUnit,
    Unit,
)
from hems.headend.cim.envelope import Header, Kind, Message, Verb
from hems.headend.cim.nouns import Noun
from hems.headend.cim.wire import MEDIA_TYPE, parse, serialize
from hems.headend.orders.repeats import KEY
from tests.headend_kill.rig import PEER, PIN, Rig

GROUP: Final = "everybody"
OK: Final = range(200, 300)
_AGAIN_S: Final = 0.5
_AT_ONCE: Final = 6
_GIVE_UP_S: Final = 90.0
_WITHIN: Final = aiohttp.ClientTimeout(total=20)
_NONE: Final[Mapping[str, str]] = {}
_FAULTS: Final = (aiohttp.ClientError, TimeoutError, OSError)


@dataclass(slots=True)
class Order:
    """An order, and what its sender knows of it.

    Attributes:
        way: "operator", "http" or "nats".
        watts: What it asks, by which it is known.
        start: Epoch s.
        seconds: How long.
        name: Its id with its sender; the enterprise's message and order have the same.
        mrid: Its event, where the sender was told.
        state: "acknowledged", "refused" (for good), or "unknown": nobody said.
        said: The last words about it.
    """

    way: str
    watts: int
    start: int
    seconds: int
    name: str = field(default_factory=lambda: str(uuid.uuid4()))
    mrid: str = ""
    state: str = "unknown"
    said: str = ""


class Desk:
    """Who orders.

    Args:
        rig: The running utility.
    """

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self._operator = {"Authorization": f"Bearer {rig.tokens[0]}"}
        self._peer = {"Authorization": f"Bearer {rig.tokens[1]}", "Content-Type": MEDIA_TYPE}

    async def enter(self) -> None:
        """Enter the homes, and make the enterprise's group of all of them."""
        turn = asyncio.Semaphore(_AT_ONCE)

        async def one(lfdi: str) -> None:
            wish = {"lfdi": lfdi, "pin": PIN, "edition": "csip-aus"}
            async with turn:
                status, said = await self._post("/homes", wish)
            if status not in {201, 409}:
                raise RuntimeError(f"home {lfdi} is not entered: {status} {said}")

        async with asyncio.TaskGroup() as tasks:
            for lfdi in self._rig.lfdis:
                tasks.create_task(one(lfdi))
        devices = tuple(EndDevice(mrid=lfdi) for lfdi in self._rig.lfdis)
        group = DeviceGroup(mrid=GROUP, names=(Name(name=GROUP),), devices=devices)
        message = _message(Verb.CREATE, Noun.GROUPS, DERGroups(groups=(group,)), str(uuid.uuid4()))
        status, body = await self._send(serialize(message))
        if status not in OK:
            raise RuntimeError(f"the group is not made: {status} {body!r}")

    async def give(self, order: Order) -> None:
        """Give an order; what is known of it then stands in it."""
        if order.way == "operator":
            await self._until_told(order)
        elif order.way == "http":
            await self._until_answered(order)
        else:
            await self._until_kept(order)

    async def _until_told(self, order: Order) -> None:
        """The same order again, under its name, until the operator is told what came of it."""
        wish = {"target_w": order.watts, "start": order.start, "seconds": order.seconds}
        until = time.monotonic() + _GIVE_UP_S
        while time.monotonic() < until:
            try:
                status, said = await self._post(
                    "/events", wish | {"program": "Peak Saver"}, {KEY: order.name}
                )
            except _FAULTS as error:
                order.said = repr(error)
            else:
                order.said = f"{status} {said}"[:300]
                if status in OK:
                    order.state, order.mrid = "acknowledged", said["id"]
                    return
                if status != 503:
                    order.state = "refused"
                    return
            await asyncio.sleep(_AGAIN_S)

    async def _until_answered(self, order: Order) -> None:
        """The same message again, by its id, until it is answered for good."""
        body, until = serialize(self._dispatch(order)), time.monotonic() + _GIVE_UP_S
        while time.monotonic() < until:
            try:
                status, answer = await self._send(body)
            except _FAULTS as error:
                order.said = repr(error)
            else:
                order.said = f"{status} {answer[-300:]!r}"
                if status in OK:
                    order.state = "acknowledged"
                    return
                if status != 503:
                    order.state = "refused"
                    return
            await asyncio.sleep(_AGAIN_S)

    async def _until_kept(self, order: Order) -> None:
        """The same message again, by its id, until the broker has it; then it is the head-end's."""
        body, until = serialize(self._dispatch(order)), time.monotonic() + _GIVE_UP_S
        while time.monotonic() < until:
            try:
                client = await nats.connect(
                    self._rig.nats.url, user=PEER, password="d", allow_reconnect=False,
                    connect_timeout=5, error_cb=_quiet,
                )  # fmt: skip
                try:
                    told = await client.jetstream(timeout=5).publish(
                        f"cim.send.{PEER}", body, headers={"Nats-Msg-Id": order.name}
                    )
                finally:
                    await client.close()
            except (NatsError, TimeoutError, OSError) as error:
                order.said = repr(error)
            else:
                order.state, order.said = "acknowledged", f"in the stream at {told.seq}"
                return
            await asyncio.sleep(_AGAIN_S)

    def _dispatch(self, order: Order) -> Message:
        schedule = Schedule(
            start=float(order.start),
            duration=order.seconds,
            unit=TimeUnit.SECOND,
            points=(CurvePoint(interval=1, nominal=float(order.watts * self._rig.count)),),
        )
        asked = DispatchParameter(
            parameter=Parameter.ACTIVE_POWER,
            multiplier=Multiplier.NONE,
            unit=Unit.WATT,
            schedules=(schedule,),
        )
        payload = DERGroupDispatches(
            dispatches=(
                GroupDispatch(mrid=order.name, group=GroupAsked(mrid=GROUP, parameters=(asked,))),
            )
        )
        return _message(
            Verb.CREATE, Noun.DISPATCHES, payload, order.name, answered=order.way == "http"
        )

    async def _post(
        self, path: str, body: Mapping[str, object], headers: Mapping[str, str] = _NONE
    ) -> tuple[int, Any]:
        url, shown = f"http://{self._rig.operator}{path}", {**self._operator, **headers}
        async with (
            aiohttp.ClientSession(headers=shown, timeout=_WITHIN) as session,
            session.post(url, data=json.dumps(body)) as answer,
        ):
            return answer.status, await answer.json()

    async def _send(self, body: bytes) -> tuple[int, bytes]:
        url = f"http://{self._rig.messages}/cim"
        async with (
            aiohttp.ClientSession(headers=self._peer, timeout=_WITHIN) as session,
            session.post(url, data=body) as answer,
        ):
            return answer.status, await answer.read()


def _message(
    verb: Verb, noun: Noun, payload: object, name: str, *, answered: bool = True
) -> Message:
    header = Header(
        verb=verb,
        noun=str(noun),
        timestamp=time.time(),
        source=PEER,
        message_id=name,
        ack_required=None if answered else False,
    )
    made = Message(Kind.REQUEST, header, None, payload=payload)
    parse(serialize(made))  # it is sound, or this program is not
    return made


async def _quiet(_error: Exception) -> None:
    """Say nothing: what comes of it is what is looked at."""
