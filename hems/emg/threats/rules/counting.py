"""So many events of a kind in so long: the shape of nearly all rules. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final

from der.sentence import Sentence, Template, say
from hems.emg.threats.rules.finding import Finding, Seen, Threat
from hems.emg.threats.severity import Severity
from hems.security_event import EventKind

AGAIN_S: Final = 3600.0
"""What goes on is found anew after so long."""
MOST_KEYS: Final = 256
"""So many sources or devices are looked at together; of more, those quiet for longest go."""
MOST_EVIDENCE: Final = 20


class By(Enum):
    """What is counted together."""

    SOURCE = auto()
    """All from one source."""
    ABOUT = auto()
    """All about one thing."""
    ALL = auto()
    """All of it."""


@dataclass(frozen=True, slots=True)
class Mark:
    """An event that counts.

    Attributes:
        now: When it was, monotonic seconds.
        what: Of those with the same only one counts.
        row: Its row; 0 for none.
    """

    now: float
    what: str
    row: int


@dataclass(frozen=True, slots=True)
class Track:
    """What is counted of one key.

    Attributes:
        marks: The last ones that count, in order.
        found: When it was found last, monotonic seconds; None for never.
    """

    marks: tuple[Mark, ...] = ()
    found: float | None = None


Tracks = Mapping[str, Track]
"""State of a rule: what is counted, by key; the one that was quiet for longest comes first."""


class How(Enum):
    """How events are counted."""

    EACH = auto()
    DISTINCT = auto()
    """Those that differ."""
    TURNS = auto()
    """Those that differ from the one before."""


def alike(seen: Seen) -> str | None:
    """Return the same for every event."""
    del seen
    return ""


@dataclass(frozen=True, slots=True)
class Words:
    """How a finding is told.

    Attributes:
        advice: What the owner should do.
        text: Makes its sentence of `who` it is about and how many were counted (`count`); None
            where the event's own sentence says it.
    """

    advice: Sentence
    text: Template | None = None


@dataclass(frozen=True, slots=True)
class Counting:
    """A rule: `most` events of some kinds within `span_s`, counted by a key.

    Attributes:
        threat: What it finds.
        kinds: Kinds that count.
        by: What is counted together.
        most: So many are a finding.
        span_s: In so long, s.
        words: How it is told.
        how: Which of them count.
        what: Returns what of an event is compared with others; None for one that does not count.
        severity: How grave the finding is.
    """

    threat: Threat
    kinds: frozenset[EventKind]
    by: By
    most: int
    span_s: float
    words: Words = field(repr=False)
    how: How = How.EACH
    what: Callable[[Seen], str | None] = field(default=alike, repr=False)
    severity: Severity = Severity.ALARM

    def step(self, tracks: Tracks, seen: Seen) -> tuple[Tracks, Finding | None]:
        """Return the state after an event, and what it came to."""
        if seen.event.kind not in self.kinds:
            return tracks, None
        key, what = self._key(seen), self.what(seen)
        if key is None or what is None:
            return tracks, None
        track = tracks.get(key, Track())
        marks = self._marked(track.marks, Mark(seen.now, what, seen.row))
        found = len(marks) >= self.most and (
            track.found is None or seen.now - track.found >= AGAIN_S
        )
        after = Track(marks, seen.now if found else track.found)
        others = {k: t for k, t in tracks.items() if k != key}
        while len(others) >= MOST_KEYS:
            del others[next(iter(others))]
        return {**others, key: after}, self._finding(marks, seen) if found else None

    def _key(self, seen: Seen) -> str | None:
        match self.by:
            case By.SOURCE:
                return seen.event.source or None
            case By.ABOUT:
                return seen.event.about
            case By.ALL:
                return ""

    def _marked(self, marks: tuple[Mark, ...], mark: Mark) -> tuple[Mark, ...]:
        alive = [each for each in marks if mark.now - each.now < self.span_s]
        if self.how is How.DISTINCT:
            alive = [each for each in alive if each.what != mark.what]
        if self.how is How.TURNS and alive and alive[-1].what == mark.what:
            return tuple(alive)
        return (*alive, mark)[-self.most :]

    def _finding(self, marks: tuple[Mark, ...], seen: Seen) -> Finding:
        about = "" if self.by is not By.ABOUT else seen.event.about
        source = seen.event.source if self.by is By.SOURCE or self.most == 1 else ""
        text = seen.event.text
        if self.words.text is not None:
            who = source or about or say("the hub")
            text = self.words.text(who=who, count=len(marks))
        return Finding(
            threat=self.threat,
            severity=self.severity,
            text=text,
            advice=self.words.advice,
            about=about,
            source=source,
            evidence=evidence(marks),
            at=seen.at,
        )


def evidence(marks: tuple[Mark, ...]) -> tuple[int, ...]:
    """Return the rows of marks, each once, the last ones of many."""
    return tuple(sorted({mark.row for mark in marks if mark.row}))[-MOST_EVIDENCE:]
