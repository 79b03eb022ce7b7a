"""`hems run`: the home's controller, until SIGINT or SIGTERM."""

import asyncio
import json
import logging
import os
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from certs.buffers import keep_small
from certs.errors import CertificateError
from certs.keys.opening import key_store
from der.errors import PermanentError
from der.registry import build
from hems import wiring
from hems.access.trail_watch import TrailWatch, trail_file
from hems.archive.errors import ArchiveError
from hems.commands.beside import home_assistant, proved, renewing, rights_of
from hems.commands.first_start import Place, housed, prepared, served
from hems.commands.follow import Follower
from hems.commands.following import Following
from hems.commands.keeping import Keeping
from hems.commands.lan import listened, messages_to_phones, network_door
from hems.commands.occupied import OccupiedError, occupied
from hems.commands.output import EXIT_CONFIGURATION, fail
from hems.commands.parts import account_parts, home_parts, hub_parts
from hems.commands.past import past_parts
from hems.commands.presence import announced, code_path
from hems.commands.reign import Reign, ended
from hems.commands.reliance import Reliance
from hems.commands.returning import taken_back, with_word
from hems.commands.service import Service
from hems.commands.setting_up import Setup
from hems.commands.store_age import counting, dated
from hems.commands.store_start import Opened, awaited, opened_store
from hems.commands.time_keeping import hub_clock, kept, taken_up
from hems.commands.updates import Updates
from hems.commands.updating import ROOT, updating
from hems.commands.upheaval import Begun, begin, confirm, put_back
from hems.commands.watching import guardroom
from hems.home import Home
from hems.homeassistant.settings import TrustError
from hems.lookups import LookupLoop
from hems.means import Means
from hems.on_demand import on_demand
from hems.security.key_watch import watched
from hems.settings.config import Config, load
from hems.settings.toml_file import ConfigError
from hems.setup.enrolment_renewal import finish
from hems.signals import end_by, end_quietly, reload_by
from hems.store.errors import StoreError, StoreNewerError
from hems.succession import Succession
from hems.timekeeping.hub_clock import HubClock
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


def run(
    place: Place, ready: Path | None, *, verbose: bool, parts: Mapping[str, int] | None = None
) -> int:
    """Run the hub; returns the exit code, with one clear error if it cannot start.

    Args:
        place: Where the home's configuration is, and the page.
        ready: Where to write, as JSON, the page's address once the first cycle is done.
        verbose: Whether to log every decision.
        parts: Levels of parts of the program in the log, whatever is configured.
    """
    keep_small()
    service = Service(verbose=verbose, parts=parts or {})
    try:
        with occupied(housed(place)):
            while _run_once(place, ready, service):
                pass
    except (ConfigError, StoreNewerError) as error:
        return fail(str(error), EXIT_CONFIGURATION)
    except (ArchiveError, OccupiedError, *_NO_START) as error:
        return fail(str(error))
    return 0


def _run_once(place: Place, ready: Path | None, service: Service) -> bool:
    """Run the hub until it is stopped; returns whether it is to start anew.

    A backup that was restored and makes no home that runs gives way to what was there before.
    """
    with service.heart.step():
        begun = begin(place.path)
    path = prepared(place, erased=begun.erased is not None)
    try:
        with asyncio.Runner(loop_factory=LookupLoop) as runner:
            anew = runner.run(_serve(_Start(path, place, ready, begun, service)))
    except _NO_START as error:
        service.end()
        if put_back(path, str(error)):
            return True
        raise
    service.end()  # not where nobody expects it: then it is told what ended it
    return anew


@dataclass(frozen=True, slots=True)
class _Start:
    """What one run begins with.

    Attributes:
        path: The home's configuration file.
        place: What the command line says of home and page.
        ready: Where to write that the home runs.
        begun: What was done before: a backup put in place, a home erased.
        service: What the hub is to its machine.
    """

    path: Path
    place: Place
    ready: Path | None
    begun: Begun
    service: Service


async def _serve(start: _Start) -> bool:
    """Open the store and control the home; returns whether the hub is to start anew."""
    service = start.service
    config = served(load(start.path), start.place)
    service.begin(config)
    finish(config)
    file, keys = config.store.path, key_store(config.keys.settings)
    clock = hub_clock(file)
    with service.heart.step():
        left = await taken_back(file, keys)
        opened = with_word(await opened_store(file, clock, keys), left)
    opened = await dated(opened, file, keys, restored=start.begun.restored)
    return await _control(start, config, opened, clock)


async def _control(start: _Start, config: Config, opened: Opened, clock: HubClock) -> bool:
    path, begun, service, file = start.path, start.begun, start.service, config.store.path
    store = await taken_up(clock, file, opened.store)
    guards = await guardroom(
        config, opened, clock, lambda: succession.home, begun, following=lambda: following
    )
    following = Following(guards.told_of(opened.event))
    note = following.note
    reliance = Reliance(config)
    updates = Updates(
        path,
        os.environ.get(ROOT),
        config=lambda: service.config,
        offered=lambda: following.offered,
        settings=store.settings,
        clock=clock,
        note=note,
    )

    def make(config: Config) -> Home:
        # Readings are dated by the home's clock: the machine's may be years behind it.
        registry = build(wiring.descriptions(config), wiring.shared(config), now=clock.now)
        means = Means(
            note=note,
            barrier=guards.watch.barrier,
            time=lambda: times.time().said,
            decided=service.decided,
            watchdog_s=service.heart.watchdog_s or 0.0,
        )
        home = Home(config, clock, store, registry, means)
        home.alarms.lasting("store", opened.trouble)
        service.show_crash(home)
        return reliance.applied(home)

    manned = AsyncExitStack()
    try:
        succession = Succession(make(config))
        service.home = lambda: succession.home
        follower = Follower(
            path,
            make,
            told=lambda config: served(config, start.place),
            note=note,
            read=service.configured,
            proves=proved,
            looked=service.reloaded,
        )
        reign = Reign(succession, follower, service.heart.changing)
        times = await manned.enter_async_context(kept(clock, config, lambda: succession.home))
        for watching in (
            guards.manned(),
            reliance.watched(path, succession, store, clock, note),
            updating(updates, succession, lambda: service.ends(reign.stop), note),
        ):
            await manned.enter_async_context(watching)
        end_by(lambda: service.ends(reign.stop))
        reload_by(lambda: service.reloads(follower.ask), lambda: service.ends(reign.stop))
        rights = await rights_of(
            store,
            code_path(config.home.devices),
            clock,
            note,
            # Another home may be in its place by then.
            lambda text: succession.home.alarms.passing(text),  # noqa: PLW0108
        )
        await manned.enter_async_context(
            TrailWatch(
                rights.journal,
                trail_file(file, key_store(config.keys.settings)),
                store.settings,
                clock,
                note,
            ).watched(own=opened.back is None, restored=begun.restored)
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
                        ready=lambda: updates.ready,
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
                                updates=updates,
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
                    published = await home_assistant(config, store)
                    await layers.enter_async_context(
                        publisher.publishing(succession, published, clock, guards.found_last)
                    )
                layers.enter_context(announced(config.home.devices, page, rights.machine))
                layers.push_async_callback(ended, renewing(path, clock, succession))
                told = asyncio.create_task(_tell(succession.home, page, start.ready, path, begun))
                config = await reign.run(config)
                told.cancel()
    finally:
        await manned.aclose()
        await store.close()
        end_quietly()
    return reign.anew


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
