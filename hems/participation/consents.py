"""The owner's consents to each programme, kept over a restart, and what follows from them now."""

import logging
import math
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from pydantic import TypeAdapter, ValidationError

from der.sentence import say
from hems.clock import Clock
from hems.participation.consent import (
    KEPT,
    Consent,
    standing,
    takes_part,
    text_version,
    turns_at,
)
from hems.programme_surface import ConsentError, Decision
from hems.store.errors import StoreError
from hems.store.settings import Settings
from hems.surface import SurfaceError
from programs.registry import ALL, BY_ID, Programme

_log = logging.getLogger(__name__)

_NAME: Final = "consents "
"""Names in the settings begin so, and end with the programme's id."""
_CONSENTS: Final = TypeAdapter(tuple[Consent, ...])
_NOTHING: Final[Mapping[str, str]] = {}


class Consents:
    """What the owner decided about each programme.

    Args:
        settings: Where decisions are kept.
        clock: Where the time comes from.
        configured: Whether the home takes part, by programme, where the configuration says so.
        obliged: Ids of programmes that the owner has agreed outside of the hub to take part in.
        missing: Why programmes can do nothing in this home, by id.
    """

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        configured: Mapping[str, bool],
        *,
        obliged: Collection[str] = (),
        missing: Mapping[str, str] = _NOTHING,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._configured = configured
        self._obliged = obliged
        self._missing = missing
        self._known: dict[str, tuple[Consent, ...]] = {}
        self._left: frozenset[str] = frozenset()
        self._holds = (math.inf, -math.inf)

    def recall(self, kept: Mapping[str, str]) -> None:
        """Take up what was decided before a restart, from the settings by name."""
        for name, text in kept.items():
            programme = name.removeprefix(_NAME)
            if programme == name:
                continue
            try:
                self._known[programme] = _CONSENTS.validate_json(text)
            except ValidationError:
                _log.warning("the setting %r cannot be read: %.80r", name, text)
        self._forget()

    async def decide(self, listed: Programme, decision: Decision) -> None:
        """Keep a decision, which counts from now on.

        Raises:
            ConsentError: Another text was shown than the one in force, nobody decides, the time
                is over, or this home has nothing that the programme needs.
            SurfaceError: It cannot be kept.
        """
        now = self._clock.now()
        if decision.joined and listed.id in self._missing:
            raise ConsentError(self._missing[listed.id])
        if decision.version != text_version(listed):
            raise ConsentError(
                say(
                    "What is said of {title} has changed since it was shown; read it again.",
                    title=listed.about.title,
                )
            )
        if not decision.by.strip():
            raise ConsentError(say("A decision needs the name of who makes it."))
        if decision.until is not None and not now < decision.until < math.inf:
            raise ConsentError(say("The time until which it counts is over."))
        consent = Consent(
            decision.joined, decision.by.strip(), now, decision.until, decision.version
        )
        kept = (*self.of(listed.id), consent)[-KEPT:]
        try:
            await self._settings.put(f"{_NAME}{listed.id}", _CONSENTS.dump_json(kept).decode())
        except StoreError as error:
            raise SurfaceError(
                say("The decision cannot be kept: {error}", error=str(error))
            ) from error
        self._known[listed.id] = kept
        self._forget()

    def of(self, programme: str) -> tuple[Consent, ...]:
        """Return what was decided about a programme, the oldest first."""
        return self._known.get(programme, ())

    def in_force(self, programme: str) -> Consent | None:
        """Return the decision that counts now; None where the configuration's word does."""
        return standing(self.of(programme), self._clock.now())

    def takes_part(self, programme: str) -> bool:
        """Return whether the home takes part in a programme that is listed."""
        if programme in self._missing:
            return False
        if programme in self._obliged:
            return True
        configured = self._configured.get(programme)
        return takes_part(BY_ID[programme], self.of(programme), configured, self._clock.now())

    @property
    def left(self) -> frozenset[str]:
        """Ids of the programmes in which the home takes no part.

        Asked many times a cycle, it is found anew only once a decision is made, runs out, or the
        clock is set back.
        """
        since, until = self._holds
        now = self._clock.now()
        if not since <= now < until:
            self._left = frozenset(p.id for p in ALL if not self.takes_part(p.id))
            self._holds = now, turns_at(self._known.values(), now)
        return self._left

    def _forget(self) -> None:
        self._holds = (math.inf, -math.inf)


def changed_since(listed: Programme, consent: Consent | None) -> bool:
    """Return whether what a person reads has changed since it was agreed to."""
    return consent is not None and consent.joined and consent.version != text_version(listed)


def latest_first(consents: Sequence[Consent]) -> tuple[Consent, ...]:
    """Return decisions as a person reads a history."""
    return tuple(reversed(consents))
