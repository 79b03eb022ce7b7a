"""The hub's own software as its owner sees and decides it (`hems.software.surface`).

What takes memory is done by `hems update`, in a process that ends when it has; what changes the
software is done by the helper alone, by its orders.
"""

import asyncio
import logging
import os
import random
import sys
from collections.abc import Callable
from datetime import datetime, time
from importlib.metadata import version as version_of
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import urlsplit

from der.sentence import Verbatim, say
from hems.clock import Clock, is_known
from hems.emg.firmware.releases import Offered
from hems.on_demand import load, on_demand
from hems.security_event import EventKind, Note, SecurityEvent
from hems.settings.config import Config
from hems.settings.updates_section import Consent
from hems.software import moment, standing
from hems.software.sides import Sides, SidesError
from hems.software.standing import Terms
from hems.software.surface import OfferView, Stage, UpdatesView, When
from hems.software.switch import ASKED, Phase, State
from hems.store.errors import StoreError
from hems.store.settings import Settings
from hems.surface import SurfaceError

if TYPE_CHECKING:
    from hems.software import job, orders
else:  # what is used a few times in ten years
    job, orders = on_demand("hems.software.job"), on_demand("hems.software.orders")

_PUT_OFF: Final = "update put off"
_RETURNED: Final = "update taken back"

_log = logging.getLogger(__name__)


class Updates:
    """What the owner sees of the hub's own software, and asks of it.

    An `UpdatesSurface`.

    Args:
        path: The home's configuration file.
        root: The folder of the sides; None where the software is not in sides.
        config: Returns what the home's configuration says now.
        offered: Returns what the lists say of the hub's own software.
        settings: Where it is remembered what the owner has put off.
        clock: Where the time comes from.
        note: Told what bears on security.
    """

    def __init__(
        self,
        path: Path,
        root: str | None,
        *,
        config: Callable[[], Config],
        offered: Callable[[], Offered],
        settings: Settings,
        clock: Clock,
        note: Note,
    ) -> None:
        self.home: Final = path.parent
        self.sides: Final = Sides(Path(root), Path()) if root else None
        self.until: float | None = None
        """When the trial that runs ends at the latest, UTC epoch seconds; None for none."""
        self._path = path
        self._config = config
        self._offered = offered
        self._settings = settings
        self._clock = clock
        self._note = note
        self._runs = version_of("hems")
        self._chance = random.SystemRandom().random()
        self._tried_at: float | None = None
        self._put_off = ""
        self._returned = ""
        self._job: job.Job | None = None
        self._error = ""

    async def load(self) -> None:
        """Take up what was before a restart: what the owner has put off, and was told."""
        try:
            kept = await self._settings.all()
        except StoreError as error:
            _log.warning("which update was put off is not known: %s", error)
            return
        self._put_off, self._returned = kept.get(_PUT_OFF, ""), kept.get(_RETURNED, "")

    async def close(self) -> None:
        """End what is under way."""
        if self._job is not None:
            await self._job.cancel()

    @property
    def state(self) -> State:
        """The record of the sides; that of a hub without any where it cannot be read."""
        try:
            return State() if self.sides is None else self.sides.read()
        except SidesError as error:
            _log.warning("%s", error)
            return State()

    # What the hub does by itself.

    @property
    def ready(self) -> str | None:
        """What the owner should know of a newer version; None for nothing."""
        offer = self._new()
        if offer is None or (self._automatic and self.sides is not None):
            return None
        return say(
            "Version {version} of the hub's software is ready to be installed.",
            version=Verbatim(offer.version),
        )

    def look(self) -> None:
        """Begin to install what is newer, where nobody is to be asked and the hours have come."""
        if not self._automatic or not is_known(self._clock):
            return
        tried_s = None if self._tried_at is None else self._clock.monotonic() - self._tried_at
        if not moment.due(self._hours, self._wall(), self._chance, tried_s):
            return
        offer = self._new()
        if offer is None:
            return
        self._tried_at = self._clock.monotonic()
        text = say(
            "Version {version} of the hub's software is installed by itself, as the settings say.",
            version=Verbatim(offer.version),
        )
        self._tell(text)
        self._begin(self.state, offer.version, "window")

    def is_moment(self, state: State) -> bool:
        """Whether the version that the next start begins with may be had now."""
        if moment.hurried(self.home, state.version(state.candidate)):
            return True
        return is_known(self._clock) and moment.into_s(self._hours, self._wall()) is not None

    async def returned(self, trial: int) -> bool:
        """Return whether it is news that the version of a trial was taken back; it is none after.

        Args:
            trial: Its number, by the record of the sides.
        """
        if self._returned == str(trial):
            return False
        self._returned = str(trial)
        try:
            await self._settings.put(_RETURNED, self._returned)
        except StoreError as error:
            _log.warning("that an update was taken back will be told again: %s", error)
        return True

    # What the page sees and asks.

    async def updates(self) -> UpdatesView:
        """Return how it stands."""
        state, offered, settings = self.state, self._offered(), self._config().updates
        doing = self._job if self._busy else None
        stage, about = standing.stage(state) if doing is None else (doing.stage, doing.version)
        return UpdatesView(
            runs=state.version(state.current) or self._runs,
            warning=offered.software.warning,
            able=self.sides is not None,
            looks=self._config().firmware.there,
            looked_at=offered.at,
            offer=self._offer(state),
            stage=stage,
            version=about,
            until=self.until if stage is Stage.TRIAL else None,
            hurried=stage is Stage.ARMED and moment.hurried(self.home, about),
            former="" if state.phase is Phase.ARMED else state.version(state.former),
            returned="" if state.why == ASKED or state.phase is not Phase.SETTLED else state.why,
            error=self._error,
            automatic=self._automatic,
            window=settings.window,
        )

    async def install(self, version: str, when: When, who: str) -> None:
        """Have the version that is offered installed and tried; it goes on after this returns.

        Raises:
            SurfaceError: It is not offered, or something else is under way.
        """
        state = self._free()
        self._not_on_trial(state)
        offer = self._offer(state)
        if offer is None or offer.version != version:
            raise SurfaceError(
                say("Version {version} is not offered to this hub.", version=Verbatim(version))
            )
        await self._keep("")
        text = say(
            "{who} has version {version} of the hub's software installed.",
            who=who,
            version=Verbatim(version),
        )
        self._tell(text)
        if state.phase is not Phase.ARMED:
            self._begin(state, version, when)
        elif state.version(state.candidate) == version:
            self._hasten(version, when)
        else:  # something newer has come since
            await self._ask("cancel")
            self._begin(self.state, version, when)

    async def put_off(self, version: str, who: str) -> None:
        """Have a version not tried, and say no more of it.

        Raises:
            SurfaceError: It is on trial already, or nobody takes the order.
        """
        self._not_on_trial(self.state)
        await self.close()
        if self.state.phase is Phase.ARMED:
            await self._ask("cancel")
        moment.unhurried(self.home)
        await self._keep(version)
        text = say(
            "{who} has put off version {version} of the hub's software.",
            who=who,
            version=Verbatim(version),
        )
        self._tell(text)

    async def go_back(self, who: str) -> None:
        """Have the former version run from the next quiet moment on.

        Raises:
            SurfaceError: There is none, or nobody takes the order.
        """
        self._free()
        await self._ask("back")
        self._tell(say("{who} has the hub's former software run again.", who=who))

    # How.

    @property
    def _automatic(self) -> bool:
        return self._config().updates.install is Consent.AUTOMATIC

    @property
    def _hours(self) -> moment.Hours:
        return self._config().updates.hours

    def _wall(self) -> time:
        """Return the home's time of day."""
        return datetime.fromtimestamp(self._clock.now(), self._config().home.zone).time()

    @property
    def _busy(self) -> bool:
        return self._job is not None and not self._job.done

    def _free(self) -> State:
        """Return the record, where something may be begun."""
        if self.sides is None:
            raise SurfaceError(
                say("This hub was not installed as a package: its software is changed by hand.")
            )
        if self._busy:
            raise SurfaceError(say("An update is under way already."))
        return self.state

    @staticmethod
    def _not_on_trial(state: State) -> None:
        if state.phase is Phase.TRIAL:
            raise SurfaceError(say("A new version is on trial: wait for its end, or go back."))

    def _offer(self, state: State) -> OfferView | None:
        release, firmware = self._offered().software.update, self._config().firmware
        place = firmware.folder if firmware.url is None else urlsplit(firmware.url).hostname
        terms = Terms(
            python=f"{sys.version_info.major}.{sys.version_info.minor}",
            machine=os.uname().machine,
            vendor=firmware.vendor,
            provider=str(place or ""),
            put_off=self._put_off,
        )
        return standing.offer(release, state, terms)

    def _new(self) -> OfferView | None:
        """Return what is offered and nobody has dealt with yet."""
        if self._offered().software.update is None or self._busy:
            return None
        state = self.state
        offer = self._offer(state)
        return offer if offer is not None and standing.is_news(offer, state) else None

    def _begin(self, state: State, version: str, when: When) -> None:
        """Have it installed, where that is not done yet, and tried."""
        if self.sides is None:
            return
        there = bool(state.candidate) and state.version(state.candidate) == version
        words = ["try"] if there else ["install", "--version", version]
        words += ["--now"] if when == "now" else []
        words += ["--config", str(self._path), "--sides", str(self.sides.root)]
        self._error = ""
        self._job = job.Job(words, version, lambda why: self._ended(version, why))

    def _ended(self, version: str, why: str) -> None:
        self._error = why
        if why:
            text = say(
                "Version {version} of the hub's software was not installed: {why}.",
                version=Verbatim(version),
                why=Verbatim(why),
            )
            _log.warning("%s", text)
            self._tell(text)

    def _hasten(self, version: str, when: When) -> None:
        """Have what waits already wait for its hours, or not."""
        try:
            if when == "now":
                moment.hurry(self.home, version)
            else:
                moment.unhurried(self.home)
        except (OSError, SidesError) as error:
            raise SurfaceError(str(error)) from error

    async def _ask(self, what: Literal["cancel", "back"]) -> None:
        """Give the helper an order.

        Raises:
            SurfaceError: It cannot be given, or is refused.
        """
        if self.sides is None:
            return
        await load(orders)
        try:
            answer = await asyncio.to_thread(orders.ask, self.home, self.sides.root, what)
        except SidesError as error:
            raise SurfaceError(str(error)) from error
        if not answer.done:
            raise SurfaceError(answer.text)

    async def _keep(self, put_off: str) -> None:
        try:
            await self._settings.put(_PUT_OFF, put_off)
        except StoreError as error:
            raise SurfaceError(str(error)) from error
        self._put_off = put_off

    def _tell(self, text: str) -> None:
        self._note(SecurityEvent(EventKind.CONFIG_CHANGED, text, "software"))
