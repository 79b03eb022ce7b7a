"""`hems run`: the home's controller, until SIGINT or SIGTERM."""

import asyncio
import json
import logging
import os
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from certs.buffers import keep_small
from certs.errors import CertificateError
from certs.keys.opening import key_store
from der.errors import PermanentError
from der.registry import build
from hems import wiring
from hems.access.access import Access, access
from hems.access.trail_watch import TrailWatch, trail_file
from hems.archive.errors import ArchiveError
from hems.clock import Clock
from hems.commands.first_start import Place, housed, prepared, served
from hems.commands.follow import Follower
from hems.commands.following import Following
from hems.commands.keeping import Keeping
from hems.commands.lan import listened, messages_to_phones, network_door
from hems.commands.occupied import OccupiedError, occupied
from hems.commands.output import fail
from hems.commands.parts import account_parts, home_parts, hub_parts
from hems.commands.past import past_parts
from hems.commands.presence import announced, code_path
from hems.commands.reign import Reign, ended
from hems.commands.reliance import Reliance
from hems.commands.setting_up import Setup
from hems.commands.store_age import counting, dated
from hems.commands.store_start import awaited, opened_store
from hems.commands.time_keeping import hub_clock, kept, taken_up
from hems.commands.upheaval import Begun, begin, confirm, put_back
from hems.commands.watching import guardroom
from hems.home import Home
from hems.homeassistant.settings import HomeAssistantSettings, TrustError
from hems.hub_id import hub_id
from hems.logs import log_to_stderr
from hems.lookups import LookupLoop
from hems.means import Means
from hems.on_demand import on_demand
from hems.security.key_watch import watched
from hems.security_event import Note
from hems.settings.config import Config, load
from hems.settings.toml_file import ConfigError
from hems.setup.device_certificates import DeviceCertificates
from hems.setup.enrolment_renewal import Renewer, finish
from hems.signals import end_by, end_quietly
from hems.store.errors import StoreError
from hems.store.store import Store
from hems.succession import Succession
from web.door import Door
from web.errors import WebError
from web.noticing import Sentinel
from web.server import serving
from web.settings import WebSettings

if TYPE_CHECKING:
    from hems.homeassistant import publisher
else:  # most homes do without MQTT and its memory
    publisher = on_demand("hems.homeassistant.publisher")

_log = logging.getLogger(__name__)

_NO_START = (
    ConfigError,
    CertificateError,
    StoreError,
    PermanentError,
    TrustError,
    WebError,
)
"""Why a hub cannot start."""
_CHATTY = ("alembic", "asyncio", "ocpp", "sqlalchemy")


def run(place: Place, ready: Path | None, *, verbose: bool) -> int:
    """Run the hub; returns the exit code, 1 with one clear error if it cannot start.

    Args:
        place: Where the home's configuration is, and the page.
        ready: Where to write, as JSON, the page's address once the first cycle is done.
        verbose: Whether to log every decision.
    """
    keep_small()
    log_to_stderr(logging.DEBUG if verbose else logging.INFO, epoch=verbose)
    for chatty in _CHATTY:
        logging.getLogger(chatty).setLevel(logging.WARNING)
    try:
        with occupied(housed(place)):
            while _run_once(place, ready):
                pass
    except (ArchiveError, OccupiedError, *_NO_START) as error:
        return fail(str(error))
    return 0


def _run_once(place: Place, ready: Path | None) -> bool:
    """Run the hub until it is stopped; returns whether it is to start anew.

    A backup that was restored and makes no home that runs gives way to what was there before.
    """
    begun = begin(place.path)
    path = prepared(place, erased=begun.erased is not None)
    try:
        with asyncio.Runner(loop_factory=LookupLoop) as runner:
            return runner.run(_serve(path, place, ready, begun))
    except _NO_START as error:
        if put_back(path, str(error)):
            return True
        raise


async def _serve(path: Path, place: Place, ready: Path | None, begun: Begun) -> bool:
    config = served(load(path), place)
    finish(config)
    file, keys = config.store.path, key_store(config.keys.settings)
    clock = hub_clock(file)
    opened = await dated(await opened_store(file, clock, keys), file, keys, restored=begun.restored)
    store = await taken_up(clock, file, opened.store)
    guards = await guardroom(
        config, opened, clock, lambda: succession.home, begun, following=lambda: following
    )
    following = Following(guards.told_of(opened.event))
    note = following.note
    reliance = Reliance(config)

    def said() -> str:
        return times.time().said

    def make(config: Config) -> Home:
        registry = build(wiring.descriptions(config), wiring.shared(config))
        home = Home(
            config,
            clock,
            store,
            registry,
            Means(note=note, barrier=guards.watch.barrier, time=said),
        )
        home.alarms.lasting("store", opened.trouble)
        return reliance.applied(home)

    manned = AsyncExitStack()
    try:
        succession = Succession(make(config))
        follower = Follower(path, make, told=lambda config: served(config, place), note=note)
        reign = Reign(succession, follower)
        times = await manned.enter_async_context(kept(clock, config, lambda: succession.home))
        await manned.enter_async_context(guards.manned())
        await manned.enter_async_context(reliance.watched(path, succession, store, clock, note))
        end_by(reign.stop)
        rights = await _rights(
            store,
            code_path(config.home.devices),
            clock,
            note,
            # Another home may be in its place by then.
            lambda text: succession.home.alarms.passing(text),  # noqa: PLW0108
        )
        await manned.enter_async_context(
            TrailWatch(rights.journal, trail_file(file, keys), store.settings, clock, note).watched(
                own=opened.back is None, restored=begun.restored
            )
        )
        keeping = Keeping(
            path, succession, store, clock, begun, lambda: rights.people.exist, reign.begin_anew
        )
        port = config.web.port
        while not reign.stopped:
            door = await network_door(
                config, store, clock, lambda text: succession.home.alarms.lasting("page", text)
            )
            settings = WebSettings(
                host=listened(config, door),
                port=port,
                names=config.web.names,
                time_zone=config.home.time_zone,
            )
            async with AsyncExitStack() as layers:
                push = await layers.enter_async_context(
                    messages_to_phones(config, succession, store, clock, rights.told)
                )
                setup = await layers.enter_async_context(Setup(path, succession, clock))
                for beside in (
                    awaited(opened, reign.begin_anew),
                    counting(opened),
                    following.followed(
                        path,
                        config,
                        store,
                        clock,
                        lambda: succession.home,
                        networks=guards.watch.barrier.shut_off,
                    ),
                    watched(
                        config, lambda text: succession.home.alarms.lasting("keys", text), note
                    ),
                ):
                    await layers.enter_async_context(beside)
                page = await layers.enter_async_context(
                    serving(
                        succession,
                        settings,
                        clock,
                        (
                            *home_parts(succession, clock, config.home.time_zone, following),
                            *past_parts(succession, store, config, clock),
                            *hub_parts(
                                setup.devices,
                                presence=None if door is None else door.presence,
                                push=push,
                                reliance=reliance,
                                log=lambda: guards.watchman.log,
                                barrier=guards.watch.barrier,
                                clock=clock,
                                time_zone=config.home.time_zone,
                                times=times,
                            ),
                            *keeping.parts(),
                            *account_parts(rights, clock, push, keeping.set_up),
                        ),
                        Door(rights),
                        lan=door,
                        sentinel=Sentinel(clock, note, guards.watch.barrier),
                    )
                )
                port = urlsplit(page).port or port
                if config.mqtt.home_assistant:
                    published = await _home_assistant(config, store)
                    await layers.enter_async_context(
                        publisher.publishing(succession, published, clock, guards.found_last)
                    )
                layers.enter_context(announced(config.home.devices, page, rights.machine))
                layers.push_async_callback(ended, _renewing(path, clock, succession))
                told = asyncio.create_task(_tell(succession.home, page, ready, path, begun))
                config = await reign.run(config)
                told.cancel()
    finally:
        await manned.aclose()
        await store.close()
        end_quietly()
    return reign.anew


def _renewing(path: Path, clock: Clock, succession: Succession) -> asyncio.Task[None]:
    """Have the hub's certificates renewed in time, from now on, and devices' ends told."""

    def tell(name: str, text: str | None) -> None:
        succession.home.alarms.lasting(f"renewal {name}", text)

    renewer = Renewer(lambda: load(path), clock.now, tell)
    devices = DeviceCertificates(lambda: load(path), path.parent.absolute(), clock.now, tell)

    async def renew() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(renewer.run())
            group.create_task(devices.run())

    return asyncio.create_task(renew(), name="certificate renewal")


async def _rights(
    store: Store, code: Path, clock: Clock, note: Note, alarm: Callable[[str], None]
) -> Access:
    """Return who may do what; where accounts cannot be read, whoever asks tries again."""
    rights = access(store.people, store.trail, code, clock, note=note, alarm=alarm)
    try:
        await rights.ready()
    except StoreError as error:
        _log.warning("accounts cannot be read yet: %s", error)
    return rights


async def _home_assistant(config: Config, store: Store) -> HomeAssistantSettings:
    """Return where and how the home is published to Home Assistant."""
    mqtt = config.mqtt
    return HomeAssistantSettings(
        await hub_id(store.settings),
        config.home.name,
        mqtt.host,
        mqtt.port,
        mqtt.username,
        mqtt.password,
        mqtt.trust,
        mqtt.prefix,
    )


async def _tell(home: Home, page: str, ready: Path | None, path: Path, begun: Begun) -> None:
    """Say that the home runs to who waits for it, once it does."""
    await home.wait_first_cycle()
    _log.info("the home's page: %s", page)
    if begun.restored:
        confirm(path)
    if ready is None:
        return
    draft = ready.with_name(f".{ready.name}.new")
    try:
        draft.write_text(json.dumps({"page": page, "pid": os.getpid()}) + "\n", encoding="utf-8")
        draft.replace(ready)
    except OSError as error:  # whoever waits for it waits in vain; the home does not
        _log.error("--ready %s: cannot be written: %s", ready, error.strerror)
