"""The hub on the home's network, and its messages to phones, as the configuration wants them."""

import logging
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

from certs.errors import CertificateError
from certs.pem import read_certificates
from der.sentence import say
from hems.clock import Clock
from hems.hub_id import hub_id
from hems.lan.presence import LanSettings, open_presence
from hems.needs.surface import NeedsSurface
from hems.plan_surface import PlanSurface, PlanView
from hems.push.occasions import CarNeed
from hems.push.push import Manner, Push, open_push, pushing
from hems.settings.config import Config
from hems.store.store import Store
from hems.surface import HomeSurface, Snapshot
from web.lan import LanDoor
from web.words import tell

_log = logging.getLogger(__name__)

HERE = "127.0.0.1"
_MARK = 6


async def network_door(
    config: Config, store: Store, clock: Clock, alarm: Callable[[str | None], None]
) -> LanDoor | None:
    """Return the way in from the home's network; None where there is none, or none by HTTPS.

    Args:
        config: The configuration.
        store: The hub's.
        clock: The hub's.
        alarm: Told in one sentence what is wrong; None when it is well again.
    """
    web = config.web
    if web.for_this_machine:
        return None
    if not web.https:
        alarm(
            say(
                "The page is served to the whole network without encryption: whoever shares it"
                " can read along, passwords too."
            )
        )
        return None
    settings = LanSettings(web.host, web.names, web.keys, config.home.name, announce=web.announce)
    mark = (await hub_id(store.settings))[:_MARK].upper()
    try:
        return LanDoor(await open_presence(settings, clock, mark), web.https_port, alarm)
    except CertificateError as error:  # the home goes on; its page is for this machine alone
        alarm(
            say(
                "The page is not served to the network: its certificate cannot be used. {why}",
                why=str(error),
            )
        )
        return None


def listened(config: Config, door: LanDoor | None) -> str:
    """Return the address that the page listens on: nothing but HTTPS goes out by itself."""
    web = config.web
    return HERE if door is None and web.https and not web.for_this_machine else web.host


class PushingHome(HomeSurface, PlanSurface, NeedsSurface, Protocol):
    """All that pushing has to know of a home."""


class _Looked:
    """The home as pushing looks at it."""

    def __init__(self, home: PushingHome) -> None:
        self._home = home

    def snapshot(self) -> Snapshot:
        """Return the home as shown."""
        return self._home.snapshot()

    def plan(self) -> PlanView | None:
        """Return the plan in force."""
        return self._home.plan()

    def car_needs(self) -> Sequence[CarNeed]:
        """Return the cars that are wanted ready at a time."""
        found = []
        for car in self._home.needs().cars:
            wanted_wh = car.usual_wh if car.energy_wh is None else car.energy_wh
            if car.ready_at is not None and wanted_wh is not None and car.taken_wh is not None:
                left_wh = max(0.0, wanted_wh - car.taken_wh)
                found.append(CarNeed(car.device, car.ready_at, left_wh))
        return found


@asynccontextmanager
async def messages_to_phones(
    config: Config, home: PushingHome, store: Store, clock: Clock, knows: Callable[[str], bool]
) -> AsyncIterator[Push | None]:
    """Tell phones what is new while the context lasts; None where that is turned off.

    Args:
        config: Of the home.
        home: What is looked at.
        store: Where subscriptions are kept.
        clock: Where the time comes from.
        knows: Whether somebody of that name is still let in.

    Raises:
        CertificateError: The root certificates of the house's push service cannot be used.
    """
    if not config.push.enabled:
        yield None
        return
    manner = Manner(
        config.home.zone,
        tell,
        config.push.contact,
        private=config.push.private_services,
        trust=None if config.push.trust is None else _trusting(config.push.trust),
        knows=knows,
    )
    push = await open_push(_Looked(home), store.settings, clock, manner)
    async with pushing(push):
        yield push


def _trusting(path: Path) -> ssl.SSLContext:
    read_certificates(path)  # says what is wrong with it; OpenSSL does not
    return ssl.create_default_context(cafile=str(path))
