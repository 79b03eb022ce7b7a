"""All rules together. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from hems.emg.threats.rules import habit
from hems.emg.threats.rules.counting import Counting, Tracks
from hems.emg.threats.rules.finding import Finding, Seen
from hems.emg.threats.rules.habit import Habit
from hems.security_event import EventKind

_NONE: Tracks = {}


@dataclass(frozen=True, slots=True)
class State:
    """What the rules remember.

    Attributes:
        tracks: Of each counting rule, by its place among them.
        habit: When the home is changed.
    """

    tracks: Mapping[int, Tracks] = field(default_factory=dict)
    habit: Habit = field(default_factory=Habit)


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules.

    Attributes:
        counting: Those that count.
        hour: Returns the hour of the day on the home's wall of a time in UTC epoch seconds; None
            where nothing counts as odd.
    """

    counting: Sequence[Counting]
    hour: Callable[[float], int] | None = None

    def step(self, state: State, seen: Seen) -> tuple[State, list[Finding]]:
        """Return the state after an event, and what it came to."""
        if seen.event.kind is EventKind.THREAT:
            return state, []  # what was found is no evidence for more
        found: list[Finding] = []
        tracks = dict(state.tracks)
        for place, rule in enumerate(self.counting):
            if seen.event.kind in rule.kinds:
                tracks[place], finding = rule.step(tracks.get(place, _NONE), seen)
                found += [] if finding is None else [finding]
        after = replace(state, tracks=tracks)
        if self.hour is not None:
            usual, finding = habit.step(state.habit, seen, self.hour(seen.at))
            after = replace(after, habit=usual)
            found += [] if finding is None else [finding]
        return after, found
