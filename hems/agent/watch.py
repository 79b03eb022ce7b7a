"""The hub's watch over its agent: what it says, that it says something, and what follows."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter, ValidationError

from certs.agent.quote import QuoteError, check_quote
from der.sentence import say
from hems.agent.judge import Heard, Memory, Trouble, counting, remembered, troubles
from hems.agent.letters import State
from hems.agent.notices import event_of
from hems.agent.post import Post
from hems.agent.surface import AgentView
from hems.clock import Clock
from hems.security_event import EventKind, Note, SecurityEvent
from hems.store.errors import StoreError
from hems.store.settings import Settings
from hems.surface import SurfaceError

_log = logging.getLogger(__name__)

_KEPT: Final = "software agent"
_MEMORY: Final = TypeAdapter(Memory)
_LOOK_S: Final = 1.0
_STALLED_S: Final = 5.0
_AGAIN_S: Final = 30.0


class AgentWatch:
    """Watches over the agent; implements `hems.agent.surface.AgentSurface`.

    Args:
        settings: Where is kept which manifest was in use and how the machine starts.
        clock: Where the time comes from.
        note: Told what bears on security.
        on_reliable: Told why the hub cannot be relied on, one sentence for the owner, and None
            once it can.
        socket: Where the agent is listened to.
        secret: Shared with it.
        boot: Whether the machine's start is measured.
        required: Whether the home takes part in no programme without a hub that can be relied on.
    """

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        note: Note,
        on_reliable: Callable[[str | None], None],
        *,
        socket: Path,
        secret: bytes,
        boot: bool = False,
        required: bool = True,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._note = note
        self._on_reliable = on_reliable
        self._boot = boot
        self._required = required
        self._post = Post(socket, secret, self.take)
        self._memory = Memory()
        self._heard: Heard | None = None
        self._heard_at: float | None = None
        self._last = clock.monotonic()
        self._looked = self._last
        self._troubles: tuple[Trouble, ...] = ()
        self._unsaved = False
        self._save_at = 0.0

    async def load(self) -> None:
        """Take up what is remembered; without it the first that is heard counts again."""
        try:
            text = (await self._settings.all()).get(_KEPT)
            if text is not None:
                self._memory = _MEMORY.validate_json(text)
        except (StoreError, ValidationError) as error:
            _log.warning("what was known of the software agent cannot be read: %s", error)

    async def run(self) -> None:
        """Watch until cancelled."""
        await self.load()
        self._last = self._looked = self._clock.monotonic()
        async with AsyncExitStack() as layers:
            try:
                await layers.enter_async_context(self._post.open())
            except OSError as error:  # then it is silent, which has its consequence
                _log.error("the software agent cannot be listened to: %s", error)
            while True:
                await asyncio.sleep(_LOOK_S)
                self.look()
                if self._unsaved and self._clock.monotonic() >= self._save_at:
                    await self._save()

    def take(self, state: State, nonce: bytes) -> None:
        """Take a letter of the agent.

        Args:
            state: What it says.
            nonce: That it was given when its session began.
        """
        self._last = self._clock.monotonic()
        self._heard_at = self._clock.now()
        heard = Heard(state, _quote_error(state, nonce) if self._boot else "")
        self._heard = counting(self._heard, heard, self._memory, boot=self._boot)
        for notice in state.notices:
            event = event_of(notice)
            if event is not None:
                self._note(event)
        memory = remembered(self._heard, self._memory)
        if memory != self._memory:
            self._memory, self._unsaved = memory, True
        self.look()

    def look(self) -> None:
        """See whether the hub can be relied on now, and say so where that has changed."""
        now = self._clock.monotonic()
        if now - self._looked > _STALLED_S:  # it was this program, or the machine, that slept
            self._last = max(self._last, now - _LOOK_S)
        self._looked = now
        found = troubles(self._heard, now - self._last, self._memory, boot=self._boot)
        if found != self._troubles:
            before, self._troubles = self._troubles, found
            self._tell(before)

    def _tell(self, before: tuple[Trouble, ...]) -> None:
        for trouble in self._troubles:
            if trouble not in before:
                self._note(SecurityEvent(trouble.kind, trouble.text, trouble.about))
        if not self._troubles:
            self._note(
                SecurityEvent(
                    EventKind.RELIABLE_AGAIN,
                    say("This hub's software, machine and software agent are as they should be."),
                    "package",
                )
            )
        self._on_reliable(self.reason)

    @property
    def reason(self) -> str | None:
        """Why the hub cannot be relied on, one sentence for the owner; None if it can."""
        if not self._troubles:
            return None
        said = self._troubles[0].text
        if not self._required:
            return said
        return say("{why} The home takes part in no programme until this is put right.", why=said)

    # What the page may see and ask.

    def agent(self) -> AgentView:
        """Return how the agent stands."""
        state = None if self._heard is None else self._heard.state
        manifest = None if state is None else state.manifest
        return AgentView(
            watched=True,
            heard_at=self._heard_at,
            checked=state is not None and state.checked,
            publisher="" if manifest is None else manifest.publisher,
            version="" if manifest is None else manifest.version,
            number=0 if manifest is None else manifest.number,
            until=None if manifest is None else manifest.until,
            files=() if state is None else tuple(each.path for each in state.wrong),
            registers=self._registers(state),
            troubles=tuple(each.text for each in self._troubles),
            excluded=self._required and bool(self._troubles),
        )

    def measure(self) -> None:
        """Have it measure everything anew."""
        self._post.order("measure")

    async def accept_boot(self) -> None:
        """Take how the machine has started now for how it is to start."""
        heard = self._heard
        boot = None if heard is None else heard.state.boot
        if heard is None or boot is None or not boot.registers or heard.quote_error:
            raise SurfaceError(say("How this hub's machine has started is not known."))
        self._memory = Memory(self._memory.number, dict(boot.registers), boot.key)
        try:
            await self._put()
        except StoreError as error:
            raise SurfaceError(say("It cannot be kept: {error}", error=error)) from error
        self.look()

    @staticmethod
    def _registers(state: State | None) -> Mapping[str, str]:
        return {} if state is None or state.boot is None else dict(state.boot.registers)

    async def _save(self) -> None:
        try:
            await self._put()
        except StoreError as error:
            _log.warning("what is known of the software agent is not kept yet: %s", error)
            self._save_at = self._clock.monotonic() + _AGAIN_S

    async def _put(self) -> None:
        await self._settings.put(_KEPT, _MEMORY.dump_json(self._memory).decode())
        self._unsaved = False


def _quote_error(state: State, nonce: bytes) -> str:
    if state.boot is None or state.boot.error:
        return ""
    try:
        check_quote(state.boot.boot(), nonce)
    except QuoteError as error:
        return str(error)
    return ""
