"""The hub's time under /api: what it is, who says so, and how well."""

from collections.abc import Sequence

from hems.access.rights import Right
from hems.timekeeping.surface import TimeSurface
from web.models import Answer
from web.operation import Operation
from web.words import Words


class TimeSourceAnswer(Answer):
    """Whom a timekeeper asks; fields as in `hems.timekeeping.reading.Upstream`."""

    name: str
    reference_clock: bool
    stratum: int
    poll_s: float
    state: str


class TimekeeperAnswer(Answer):
    """What a program of the machine says; fields as in `hems.timekeeping.surface.KeeperView`."""

    source: str
    synchronised: bool
    name: str
    stratum: int | None
    error_s: float | None
    leap: str
    upstreams: Sequence[TimeSourceAnswer]


class ServerTimeAnswer(Answer):
    """What a utility has told; fields as in `hems.timekeeping.surface.ServerView`."""

    name: str
    quality: int
    apart_s: float
    error_s: float
    age_s: float
    drift_ppm: float


class TimeAnswer(Answer):
    """The hub's time; fields as in `hems.timekeeping.surface.TimeView`."""

    now: float
    known: bool
    source: str
    name: str
    quality: int
    error_s: float | None
    since: float
    words: Words
    said: Words
    notes: Sequence[Words]
    keepers: Sequence[TimekeeperAnswer]
    servers: Sequence[ServerTimeAnswer]


class TimeApi:
    """What can be asked of the hub's time.

    Args:
        surface: Who keeps it.
    """

    def __init__(self, surface: TimeSurface) -> None:
        self._surface = surface

    @classmethod
    def operations(cls) -> Sequence[Operation]:
        """Return what it does."""
        return [Operation("GET", "/api/time", cls.time, Right.SEE)]

    async def time(self) -> TimeAnswer:
        """Tell what time the hub believes it is, who says so, and how far it may be off."""
        return TimeAnswer.model_validate(self._surface.time())
