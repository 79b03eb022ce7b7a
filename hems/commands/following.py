"""The enterprise's feeds while the hub runs: bulletin, firmware lists, and a day in numbers."""

import asyncio
import logging
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from der.sentence import say
from hems.bulletin import Severity
from hems.clock import Clock
from hems.commands.enterprise_line import believed, context_of
from hems.commands.reign import ended
from hems.emg.feeds.feed import Feed
from hems.emg.feeds.line import Line
from hems.emg.feeds.tally import Tally
from hems.emg.feeds.warnings import Hands, Warnings, named
from hems.emg.firmware.judge import Verdict
from hems.emg.firmware.keeper import ListKeeper
from hems.emg.firmware.lists import Known, Refreshed
from hems.emg.firmware.releases import Offered, software
from hems.emg.firmware.watch import LOOK_EVERY_S, FirmwareWatch, Said
from hems.emg.threats.folding import UNWRITTEN
from hems.emg.threats.telling import Told
from hems.home import Home
from hems.security_event import Note, SecurityEvent
from hems.settings.config import Config
from hems.settings.feeds_section import Unlisted
from hems.store.store import Store

_WITHIN_S: Final = 180.0

_log = logging.getLogger(__name__)


class Following:
    """The feeds of a hub; what it is told of counts for the day's numbers.

    Args:
        note: Who takes note of what bears on security.
    """

    def __init__(self, note: Note) -> None:
        self._note = note
        self._tally: Tally | None = None
        self._watch: FirmwareWatch | None = None
        self._lists: Callable[[], Known] = Known
        self._severities: Callable[[], Mapping[str, Severity]] = dict
        self._tell: Callable[[str], None] = lambda _text: None
        self._vendor = ""

    @property
    def verdicts(self) -> Mapping[str, Verdict]:
        """What is thought of each device's firmware, by the device's id."""
        return {} if self._watch is None else self._watch.verdicts

    @property
    def offered(self) -> Offered:
        """What the lists say of the hub's own software."""
        found = self._lists()
        return Offered(software(version("hems"), found.lists, self._vendor), found.at)

    @property
    def severities(self) -> Mapping[str, Severity]:
        """How grave the enterprise calls kinds of security events now, by kind."""
        return self._severities()

    def found(self, told: Told) -> None:
        """Count what was found to be a threat."""
        if self._tally is not None:
            self._tally.found(told.finding.threat)

    def note(self, event: SecurityEvent) -> None:
        """Take note, count, and tell the owner what the enterprise calls critical.

        It is a `hems.security_event.Note`.
        """
        self._note(event)
        critical = self._severities().get(event.kind.value) is Severity.CRITICAL
        if critical and event.kind not in UNWRITTEN:
            self._tell(event.text)
        if self._tally is not None:
            self._tally.note(event)

    @asynccontextmanager
    async def followed(
        self,
        path: Path,
        config: Config,
        store: Store,
        clock: Clock,
        home: Callable[[], Home],
        *,
        networks: Callable[[frozenset[str]], None] = lambda _networks: None,
        ready: Callable[[], str | None] = lambda: None,
    ) -> AsyncIterator[None]:
        """Follow the feeds meanwhile.

        Args:
            path: The configuration file.
            config: What it says.
            store: What the hub remembers.
            clock: Where the time comes from.
            home: Returns the present home.
            networks: Told all networks that alerts name.
            ready: Returns what the owner should know of a newer version of the hub's software.

        Raises:
            CertificateError: A certificate or key for the enterprise cannot be used.
        """
        settings, section = store.settings, config.feeds
        names = {device.id: device.name for device in config.device}
        lists = ListKeeper(
            settings, lambda: _looked(path), clock, config.firmware.every, note=self.note
        )
        await lists.load()
        self._lists, self._vendor = lambda: lists.known, config.firmware.vendor
        line = await _line(config)
        feed = None
        if line is not None:
            feed = Feed(
                settings, line, lambda: believed(config), clock, section.every, note=self.note
            )
            await feed.load()

        def severities() -> Mapping[str, Severity]:
            told = None if feed is None else feed.bulletin
            return {} if told is None else told.severities

        self._severities = severities
        self._tell = lambda text: home().alarms.passing(text)  # noqa: PLW0108 - another home may follow
        news = asyncio.Event()
        lists.changed = news.set
        if feed is not None:
            feed.changed = news.set
        self._watch = watch = FirmwareWatch(
            settings,
            lambda: home().trust,
            Said(
                lambda: list(lists.known.firmware) if config.firmware.there else [],
                lambda: None if feed is None else feed.bulletin,
                lambda: warnings.identities,
            ),
            quarantine_unknown=config.firmware.unknown is Unlisted.QUARANTINE,
            name=lambda device: names.get(device, device),
            note=self.note,
        )
        await watch.load()
        warnings = Warnings(
            lambda: None if feed is None else feed.bulletin,
            clock,
            Hands(
                lambda source, text: home().alarms.lasting(source, text),  # noqa: PLW0108 - another home may follow
                networks,
            ),
        )
        self._tally = tally = Tally(
            settings,
            clock,
            line if section.statistics else None,
            lambda: [(c.manufacturer, c.model, c.firmware) for c in watch.shown.values()],
            version("hems"),
        )
        await tally.load()

        async def look() -> None:
            while True:
                news.clear()
                warnings.look()
                _look_around(home(), warnings.identities)
                home().alarms.lasting("software", self.offered.software.warning or None)
                home().alarms.lasting("software ready", ready())
                late = lists.overdue if config.firmware.there else None
                home().alarms.lasting("firmware lists", late)
                home().alarms.lasting("bulletin", None if feed is None else feed.lapsed)
                await watch.look()
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_EVERY_S):
                        await news.wait()

        running = [look()]
        if feed is not None:
            running += [feed.run(), tally.run()]
        if config.firmware.there:
            running.append(lists.run())
        tasks = [asyncio.create_task(each, name="enterprise's feeds") for each in running]
        try:
            yield
        finally:
            await ended(*tasks)


def _look_around(home: Home, identities: frozenset[str]) -> None:
    """Tell the owner of servers that alerts name."""
    for name, certificate in home.grid.certificates.items():
        text = say("The certificate that {utility} shows is named in a warning.", utility=name)
        home.alarms.lasting(f"warned {name}", text if named(certificate, identities) else None)


async def _line(config: Config) -> Line | None:
    section = config.feeds
    if section.url is None:
        return None
    context = await asyncio.to_thread(context_of, config, section.utility)
    return Line(section.url, context)


async def _looked(path: Path) -> Refreshed:
    """Have the lists fetched and verified by a process that ends when it has."""
    command = (sys.executable, "-m", "hems", "firmware", "refresh", "--json", "--config", str(path))
    try:
        child = await asyncio.create_subprocess_exec(
            *command, stdin=DEVNULL, stdout=PIPE, start_new_session=True
        )
    except OSError as error:
        return Refreshed(error=f"the process that fetches them cannot be started: {error.strerror}")
    try:
        async with asyncio.timeout(_WITHIN_S):
            said, _ = await child.communicate()
        return Refreshed.model_validate_json(said)
    except TimeoutError:
        return Refreshed(error=f"fetching them took longer than {_WITHIN_S:g} s")
    except ValidationError:
        return Refreshed(error=f"the process that fetches them ended with {child.returncode}")
    finally:
        if child.returncode is None:
            with suppress(ProcessLookupError):
                child.kill()
            await child.wait()
