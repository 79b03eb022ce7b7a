"""What was wrong with the home, and from when to when: alarms past and present, over restarts."""

import asyncio
import logging
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from pydantic import TypeAdapter, ValidationError

from der.sentence import Sentence, Value
from hems.clock import Clock
from hems.store.errors import StoreError
from hems.store.settings import Settings

_log = logging.getLogger(__name__)

KEPT: Final = 200
"""So many are kept, the latest."""
KEEP_EVERY_S: Final = 30.0
"""Not written down more often: an alarm that comes and goes must not wear the disk out."""
GOES_ON_S: Final = 600.0
"""What is wrong again so soon after a start has been so all the time."""
_NAME: Final = "alarms"


@dataclass(frozen=True, slots=True)
class Episode:
    """One time during which something was wrong.

    Attributes:
        source: What was; empty for a message about something that happened once.
        text: In one sentence, as it was said last.
        began_at: UTC epoch seconds.
        ended_at: When it was well again, the same; None while it is not. What was wrong when the
            hub was stopped ends when it is started again, unless it then goes on.
    """

    source: str
    text: str
    began_at: float
    ended_at: float | None = None


@dataclass(frozen=True, slots=True)
class _Kept:
    """An episode as it is written down: a sentence with what it was made of."""

    source: str
    text: str
    began_at: float
    ended_at: float | None
    template: str = ""
    values: Mapping[str, Value] | None = None


_KEPT: Final = TypeAdapter(tuple[_Kept, ...])


class AlarmHistory:
    """The alarms that there were.

    Args:
        settings: Where they are kept.
        clock: Where the time comes from.
    """

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._episodes: deque[Episode] = deque(maxlen=KEPT)
        self._resumes: dict[str, Episode] = {}
        self._loaded_at = clock.now()
        self._written = "[]"

    async def load(self) -> None:
        """Take up what was noted before a restart; what has been noted since goes behind it."""
        since, self._loaded_at = list(self._episodes), self._clock.now()
        self._episodes.clear()
        try:
            self._written = (await self._settings.all()).get(_NAME, "[]")
            for kept in _KEPT.validate_json(self._written):
                self._recall(_episode(kept))
        except StoreError as error:
            _log.warning("the alarms of before are not known: %s", error)
        except ValidationError as error:
            _log.warning("the alarms of before cannot be read: %.200s", error)
        for each in since:
            if each.source and each.ended_at is None:
                self.began(each.source, each.text)
            else:
                self._episodes.append(each)

    async def run(self) -> None:
        """Write down what is new, until cancelled; then once more."""
        try:
            while True:
                await asyncio.sleep(KEEP_EVERY_S)
                await self.flush()
        finally:
            await self.flush()

    async def flush(self) -> None:
        """Write down what is new."""
        body = _KEPT.dump_json(tuple(map(_kept, self._episodes))).decode()
        if body == self._written:
            return
        try:
            await self._settings.put(_NAME, body)
        except StoreError as error:
            _log.warning("alarms are not being written down: %s", error)
        else:
            self._written = body

    def began(self, source: str, text: str) -> None:
        """Note that something is wrong with a source, or that other words now say what."""
        now = self._clock.now()
        resumed = self._resumes.pop(source, None)
        goes_on = resumed in self._episodes and 0 <= now - self._loaded_at <= GOES_ON_S
        open_now = next((e for e in self._episodes if _is_open(e, source)), None)
        if open_now is not None:
            self._put(open_now, replace(open_now, text=text))
        elif resumed is not None and goes_on:
            self._put(resumed, replace(resumed, text=text, ended_at=None))
        else:
            self._episodes.append(Episode(source, text, now))

    def ended(self, source: str) -> None:
        """Note that a source is well again."""
        for each in list(self._episodes):
            if _is_open(each, source):
                self._put(each, replace(each, ended_at=self._clock.now()))

    def happened(self, text: str) -> None:
        """Note what happened once."""
        now = self._clock.now()
        self._episodes.append(Episode("", text, now, now))

    @property
    def episodes(self) -> Sequence[Episode]:
        """All that are kept, those that last first, then the latest first."""
        ordered = sorted(self._episodes, key=lambda e: e.began_at, reverse=True)
        return tuple(sorted(ordered, key=lambda e: e.ended_at is not None))

    def _recall(self, episode: Episode) -> None:
        if episode.ended_at is None:
            episode = replace(episode, ended_at=max(self._loaded_at, episode.began_at))
            self._resumes[episode.source] = episode
        self._episodes.append(episode)

    def _put(self, before: Episode, after: Episode) -> None:
        self._episodes[self._episodes.index(before)] = after


def _is_open(episode: Episode, source: str) -> bool:
    return episode.source == source and episode.ended_at is None


def _kept(episode: Episode) -> _Kept:
    text, template, values = episode.text, "", None
    if isinstance(text, Sentence):
        template, values = text.template, dict(text.values)
    return _Kept(episode.source, str(text), episode.began_at, episode.ended_at, template, values)


def _episode(kept: _Kept) -> Episode:
    """Return an episode whose words can be told in another language, as far as they could."""
    return Episode(kept.source, _told(kept), kept.began_at, kept.ended_at)


def _told(kept: _Kept) -> str:
    if not kept.template:
        return kept.text
    try:
        sentence = Sentence(kept.template, kept.values or {})
    except (KeyError, IndexError, ValueError):
        return kept.text
    return sentence if sentence == kept.text else kept.text
