"""The home's privacy and security, put together for who may know of it."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence

from hems.alarm_history import AlarmHistory
from hems.clock import Clock
from hems.device_surface import CallerView
from hems.push.subscription import Subscription
from hems.security.certificates import files, look, of_server
from hems.security.devices import trusted
from hems.security.key_words import store_words
from hems.security.outflows import outflows
from hems.security.surface import (
    AlarmView,
    CertificateView,
    ConnectionView,
    SecurityView,
    StrangerView,
)
from hems.settings.config import Config
from hems.surface import UtilityView
from hems.visibility.surface import VisibilitySurface


class Security:
    """Implements `hems.security.surface.SecuritySurface`.

    Args:
        config: The hub's settings.
        clock: Where the time comes from.
        alarms: What was wrong.
        visibility: What the owner granted.
        utilities: Returns how the links to utilities stand.
        offsets: Returns each server's clock less the home's, by the utility's name.
        servers: Returns the certificates that the utilities' servers show, DER, by the
            utility's name.
        callers: Returns the chargers that have called in and are not known; None if nobody listens.
        pushed: Returns the browsers that want to be told while the page is closed.
        time: Returns how well the hub knows the time, in a sentence.
    """

    def __init__(
        self,
        config: Config,
        clock: Clock,
        alarms: AlarmHistory,
        visibility: VisibilitySurface,
        *,
        utilities: Callable[[], Sequence[UtilityView]],
        offsets: Callable[[], Mapping[str, float]],
        servers: Callable[[], Mapping[str, bytes]],
        callers: Callable[[], Sequence[CallerView] | None],
        pushed: Callable[[], Awaitable[Sequence[Subscription]]],
        time: Callable[[], str] = str,
    ) -> None:
        self._config = config
        self._clock = clock
        self._alarms = alarms
        self._visibility = visibility
        self._utilities = utilities
        self._offsets = offsets
        self._servers = servers
        self._callers = callers
        self._pushed = pushed
        self._time = time

    async def security(self) -> SecurityView:
        """Return how the home is guarded, and what leaves it."""
        grants = await self._visibility.grants()
        utilities = self._utilities()
        servers = {utility.name: utility.server for utility in utilities}
        return SecurityView(
            connections=self._connections(utilities),
            certificates=await asyncio.to_thread(self._certificates),
            devices=trusted(self._config),
            strangers=[StrangerView(c.identity, c.remote) for c in self._callers() or ()],
            outflows=outflows(self._config, servers, grants, await self._pushed()),
            store=await asyncio.to_thread(store_words, self._config.store.path),
            time=self._time(),
        )

    def alarms(self) -> Sequence[AlarmView]:
        """Return the alarms that are kept: those that last first, then the latest first."""
        return [AlarmView(e.source, e.text, e.began_at, e.ended_at) for e in self._alarms.episodes]

    def _connections(self, utilities: Sequence[UtilityView]) -> list[ConnectionView]:
        editions = {section.name: section.edition for section in self._config.utility}
        offsets = self._offsets()
        return [
            ConnectionView(
                name=view.name,
                server=view.server,
                state=view.state,
                detail=view.detail,
                lfdi=view.lfdi,
                last_contact=view.last_contact,
                # A server's clock is known once it has answered.
                clock_error_s=None if view.last_contact is None else 0.0 - offsets[view.name],
                edition=editions[view.name],
            )
            for view in utilities
        ]

    def _certificates(self) -> list[CertificateView]:
        now = self._clock.now()
        found = [view for file in files(self._config) for view in look(file, now)]
        shown = [of_server(name, each, now) for name, each in self._servers().items()]
        return sorted([*found, *shown], key=_end)


def _end(view: CertificateView) -> float:
    """What cannot be read comes first, what never ends last."""
    if view.error:
        return -math.inf
    return math.inf if view.ends_at is None else view.ends_at
