"""Homes of an aggregator: each a real client at a real head-end of its own, over mutual TLS.

The port to them speaks to the operator's doors, as an operator would, so that nothing between the
aggregator and a home is made up.
"""

import asyncio
import contextlib
import hashlib
import random
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from certs.identity import lfdi, sfdi
from certs.pem import der, read_certificates
from certs.pki import Pki
from certs.tls import client_context, server_context
from hems.clock import SystemClock
from hems.headend.errors import BusyError, DispatchError
from hems.headend.records import Edition
from hems.headend.server import HeadEnd
from hems.headend.settings import HeadEndSettings
from hems.headend.sharing.model import Ability, Kind
from hems.headend.upstream.asks import values_of
from hems.headend.upstream.port import Answer, Order, Reading
from hems.sep2.client import Client, ClientSettings, ListenSettings
from hems.sep2.enddevice.readings import MirrorSpec, Sample, SeriesSpec
from hems.sep2.enddevice.registration import Identity
from hems.sep2.errors import UnknownEventError
from hems.sep2.rules.dialect import Dialect
from hems.sep2.transport.http import Limits, Transport
from hems.sep2.walk.walker import Pace
from tests.hems.headend.conftest import PIN, Operator
from tests.hems.headend.ours import until
from tests.hems.sep2.memory_ledger import MemoryLedger

PACE = Pace(least_poll_s=0.2, default_poll_s=900, first_retry_s=0.05, longest_retry_s=0.2)
METER = SeriesSpec("5E", "net power", uom=38)
VOLUNTARY = "Energy Support"


def settings_of(pki: Pki, folder: Path) -> HeadEndSettings:
    """Return the settings of a head-end with its files in a folder."""
    utility = pki.identity("utility")
    folder.mkdir(exist_ok=True)
    return HeadEndSettings(
        database=folder / "headend.sqlite",
        certificate=utility.certificate,
        key=utility.key,
        roots=pki.trust.roots,
        crls=pki.trust.crls,
        token_file=folder / "token",
        post_rate_s=1,
        list_poll_s=1,
    )


def lfdi_of(pki: Pki, name: str) -> str:
    """Return the LFDI of an identity."""
    return lfdi(der(read_certificates(pki.identity(name).certificate)[0]))


@dataclass(slots=True)
class Dweller:
    """A home's client, as whoever lives there sees it."""

    lfdi: str
    client: Client

    def asked(self, mode: str) -> float | None:
        """What it is asked now by a mode."""
        active = self.client.engine.schedule.active.get(mode)
        return active.value if active is not None and isinstance(active.value, float) else None

    @property
    def shed_w(self) -> float | None:
        """What it is asked to shed now, W."""
        return self.asked("TargetReduction.W")

    @property
    def limit_w(self) -> float | None:
        """Its import limit now, W."""
        return self.asked("opModImpLimW")

    def meter(self, net_w: float) -> None:
        """Have its meter post a reading."""
        self.client.add_sample(Sample(METER.mrid, SystemClock().now(), 1, net_w))


@dataclass(slots=True)
class House(Dweller):
    """A home with a head-end of its own: its operator, and what it says that it can do."""

    operator: Operator
    ability: Ability
    events: list[str] = field(default_factory=list)

    async def leave(self) -> None:
        """Have its owner leave what it is asked now."""
        for event in self.events:
            with contextlib.suppress(UnknownEventError):  # over, or not come yet
                await self.client.engine.opt_out(event)


@contextlib.asynccontextmanager
async def dwelling(pki: Pki, name: str, url: str) -> AsyncIterator[Dweller]:
    """Run a home's client at a head-end while the context lasts."""
    identity, own = pki.identity(name), lfdi_of(pki, name)
    client = Client(
        ClientSettings(
            Identity(own, sfdi(own), int(PIN)),
            server="aggregator",
            url=url,
            profile=Dialect.CSIP_AUS.profile(),
            pace=PACE,
            listen=ListenSettings("127.0.0.1"),
            mirrors=(
                MirrorSpec(
                    hashlib.sha256(own.encode()).hexdigest()[:32], "meter", (METER,), post_s=1
                ),
            ),
        ),
        lambda base: Transport(
            base, client_context(identity, pki.trust), limits=Limits(total_s=10, connect_s=10)
        ),
        MemoryLedger(),
        SystemClock(),
        random.Random(1),  # noqa: S311 - draws, not secrets
        listen_context=server_context(identity, pki.trust),
    )
    task = asyncio.create_task(client.run())
    try:
        await until(lambda: client.state.state == "connected")
        yield Dweller(own, client)
        assert not task.done(), "the home's client died"
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@contextlib.asynccontextmanager
async def house(pki: Pki, name: str, folder: Path, ability: Ability) -> AsyncIterator[House]:
    """Run a home with its head-end while the context lasts."""
    own = lfdi_of(pki, name)
    async with HeadEnd(settings_of(pki, folder)) as head_end:
        operator = Operator(head_end)
        try:
            await enter(operator, own)
            async with dwelling(pki, name, head_end.addresses.dcap_url) as at_home:
                yield House(own, at_home.client, operator, replace(ability, home=own))
        finally:
            await operator.aclose()


async def enter(operator: Operator, own: str) -> None:
    """Have an operator enter a home."""
    status, answer = await operator.ask(
        "POST", "/homes", {"lfdi": own, "pin": PIN, "edition": Edition.CSIP_AUS.value}
    )
    assert status == 201, answer


class Street:
    """Implements `hems.headend.upstream.port.Downstream` for some houses.

    Attributes:
        dispatched: Orders by key, as first dispatched.
        dies_after: So many orders from now the head-end is lost to the aggregator right after it
            took one in; None for never.
    """

    def __init__(self, houses: Sequence[House]) -> None:
        self.houses = {house.lfdi: house for house in houses}
        self.dispatched: dict[str, tuple[Order, frozenset[str]]] = {}
        self.dies_after: int | None = None
        self._events: dict[str, list[tuple[House, str]]] = {}

    async def availability(self, _kind: Kind) -> Sequence[Ability]:
        return [house.ability for house in self.houses.values()]

    async def dispatch(self, orders: Sequence[Order]) -> Mapping[str, str]:
        for order in orders:
            if order.key not in self.dispatched:
                self.dispatched[order.key] = (order, order.homes)
                self._events[order.key] = [
                    (self.houses[home], await self._tell(self.houses[home], order))
                    for home in sorted(order.homes)
                ]
            if self.dies_after is not None:
                self.dies_after -= 1
                if self.dies_after <= 0:
                    raise BusyError("the head-end does not answer any more")
        return {order.key: order.key for order in orders}

    async def _tell(self, house: House, order: Order) -> str:
        asked = {mode.value: value for mode, value in values_of(order.kind, order.value_w).items()}
        program = {"program": VOLUNTARY} if order.kind is Kind.SHED else {}
        body = {**asked, **program, "start": order.start, "seconds": order.duration_s}
        status, answer = await house.operator.ask("POST", "/events", body)
        if status != 201:
            raise DispatchError(f"{status} {answer}")
        house.events.append(answer["id"])
        return str(answer["id"])

    async def cancel(self, mrids: Collection[str]) -> None:
        for house, event in (each for mrid in mrids for each in self._events[mrid]):
            status, answer = await house.operator.ask("POST", f"/events/{event}/cancel")
            assert status in {200, 409}, answer

    async def responses(self, mrids: Collection[str], since: float) -> Mapping[str, list[Answer]]:
        found: dict[str, list[Answer]] = {mrid: [] for mrid in mrids}
        for mrid, answers in found.items():
            for house, event in self._events[mrid]:
                _, answer = await house.operator.ask("GET", f"/events/{event}")
                answers += [
                    Answer(house.lfdi, each["status"], each["received_at"])
                    for each in answer["homes"][0]["responses"]
                    if each["received_at"] >= since
                ]
        return found

    async def readings(self) -> Sequence[Reading]:
        found: list[Reading] = []
        for house in self.houses.values():
            path = f"/homes/{house.lfdi}/readings"
            _, answer = await house.operator.ask("GET", path)
            if answer["readings"]:
                latest = answer["readings"][0]
                found.append(Reading(house.lfdi, latest["start"], latest["value"]))
            else:
                _, shown = await house.operator.ask("GET", f"/homes/{house.lfdi}")
                found.append(Reading(house.lfdi, shown["last_contact"] or 0.0))
        return found
