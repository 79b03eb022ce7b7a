"""The clocks of one server: each device's events run on the one that its assignments name."""

import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Final

from hems.clock import Clock
from hems.sep2 import resources as res
from hems.sep2.enddevice.enrolment import Enrolment
from hems.sep2.enddevice.offers import safe_place
from hems.sep2.errors import MalformedError
from hems.sep2.noticed import Notice, Noticed, What, unnoticed
from hems.sep2.transport.http import Transport

_log = logging.getLogger(__name__)

_JUMP_S: Final = 60.0
"""By so much no clock goes wrong by itself from one look to the next."""
_APART_S: Final = 2.0
"""Clocks that differ by less are one: `TimeType` is whole seconds."""


class Clocks:
    """What each clock of a server showed last, and who runs on it.

    Args:
        transport: Way to the server.
        clock: The home's clock.
        enrolments: Whose events they are, the home's own first.
        on_offset: Told of each new offset of the clock that the home itself runs on.
        on_apart: Told of a clock, and what is wrong, where a device's assignments name several
            that do not agree; with None when they do again.
        notice: Told of a clock that was set by more than any clock goes wrong.
    """

    def __init__(
        self,
        transport: Transport,
        clock: Clock,
        enrolments: Sequence[Enrolment],
        on_offset: Callable[[float], Awaitable[None]],
        on_apart: Callable[[str, MalformedError | None], None],
        *,
        notice: Notice = unnoticed,
    ) -> None:
        self._transport = transport
        self._clock = clock
        self._enrolments = enrolments
        self._on_offset = on_offset
        self._on_apart = on_apart
        self._notice = notice
        self._shown: dict[str, tuple[int, float, float, int]] = {}
        self._hrefs: dict[str, str] = {}

    @property
    def hrefs(self) -> Collection[str]:
        """The clocks that somebody runs on, or is to, as in the links to them."""
        return tuple(self._hrefs.values())

    async def follow(self, enrolment: Enrolment, hrefs: Sequence[str]) -> None:
        """Have a device's events run on a clock, which is read first if that was never done.

        Args:
            enrolment: Whose events they are.
            hrefs: The clocks that its assignments name, the first being the one that counts.

        Raises:
            Sep2Error: It cannot be read now; the device runs on it as soon as it can.
        """
        places = [safe_place(href) for href in hrefs]
        if not places:
            return
        self._hrefs.update(zip(places, hrefs, strict=True))
        before, enrolment.clock = enrolment.clock, places[0]
        enrolment.other_clocks = frozenset(places[1:]) - {places[0]}
        self._let_go()
        if before == places[0]:
            return
        shown = self._shown.get(places[0])
        if shown is None:
            await self.read(hrefs[0])
        else:
            await self._sync(enrolment, shown)

    def _let_go(self) -> None:
        """Forget the clocks that nobody's assignments name any more."""
        used = {place for e in self._enrolments for place in (e.clock, *e.other_clocks)}
        self._hrefs = {place: href for place, href in self._hrefs.items() if place in used}
        self._shown = {place: shown for place, shown in self._shown.items() if place in used}

    async def read(self, href: str) -> res.Time:
        """Read a clock and have those follow it who run on it.

        Raises:
            Sep2Error: It cannot be read now.
        """
        place = safe_place(href)
        sent = self._clock.monotonic()
        time = await self._transport.get(href, res.Time)
        shown = (time.current_time, sent, self._clock.monotonic(), time.quality)
        before = self._shown.get(place)
        if before is not None:
            jump_s = shown[0] - before[0] - (shown[2] - before[2])
            if abs(jump_s) > _JUMP_S:
                _log.warning("%s: the server's clock was set by %+.0f s", href, jump_s)
                self._notice(Noticed(What.CLOCK, f"{jump_s:+.0f} s"))
        self._shown[place] = shown
        for enrolment in self._enrolments:
            if enrolment.clock == place:
                await self._sync(enrolment, shown)
        self._compare(href, time)
        return time

    async def _sync(self, enrolment: Enrolment, shown: tuple[int, float, float, int]) -> None:
        enrolment.engine.sync_time(*shown)
        if enrolment is self._enrolments[0]:
            await self._on_offset(enrolment.engine.offset_s)

    def _compare(self, href: str, time: res.Time) -> None:
        """Say so where a device is to run on two clocks that do not agree."""
        place = safe_place(href)
        for enrolment in self._enrolments:
            if place in enrolment.other_clocks:
                apart_s = time.current_time - enrolment.engine.server_time()
                name = enrolment.member.name
                wrong = None
                if abs(apart_s) > _APART_S:
                    wrong = MalformedError(
                        f"{self._transport.host}{href}",
                        f"it is {apart_s:+.0f} s off the clock that events of {name} run on",
                    )
                self._on_apart(f"clock {place} {enrolment.member.lfdi}", wrong)
