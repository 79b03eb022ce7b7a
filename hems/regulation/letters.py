"""What the hub and its regulating process write to each other: one line of JSON each.

The first line from the hub says which devices there are and how to regulate; then come its words.
Times are seconds of the machine's monotonic clock, which all its processes share; but for those of
readings, which are UTC by the hub's clock: that of the machine may be years behind it.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Annotated, Final, Literal

from pydantic import Discriminator, TypeAdapter, ValidationError

from der.addresses import Shared
from der.curves import Droop
from der.description import DeviceDescription
from der.model import Reading
from der.registry import DRIVERS, Driver
from hems.regulation.errors import LetterError
from hems.regulation.settings import Source
from programs.frequency import SensePolicy
from programs.regulation import FadePolicy
from programs.score import Sample


@dataclass(frozen=True, slots=True)
class LoopSettings:
    """How to regulate.

    Attributes:
        device: Id of the battery.
        measured_by: Id of the device that measures the frequency; the battery itself, or another.
        capacity_w: Greatest swing either way, W.
        droop: Response to the frequency; None for none.
        sense: Which frequency is believed.
        source: Where a signal comes from; None for none.
        fade: What becomes of one that stops.
        period_s: Time from one measurement to the next.
        slew_w_s: Fastest change of the swing, W/s; None for as fast as the battery will.
        least_w: A smaller change of the set-point is not written.
        last: Number of the last message that was taken, so that none is taken twice.
    """

    device: str
    measured_by: str
    capacity_w: float
    droop: Droop | None
    sense: SensePolicy = SensePolicy()  # noqa: RUF009 (frozen, so one instance serves all)
    source: Source | None = None
    fade: FadePolicy = FadePolicy()  # noqa: RUF009
    period_s: float = 0.1
    slew_w_s: float | None = None
    least_w: float = 10.0
    last: int = -1


@dataclass(frozen=True, slots=True)
class Opening:
    """The first line from the hub.

    Attributes:
        devices: The battery, and what else measures the frequency.
        shared: What devices share.
        settings: How to regulate.
        ahead_s: See `Time`.
    """

    devices: tuple[DeviceDescription, ...]
    shared: Shared
    settings: LoopSettings
    ahead_s: float


@dataclass(frozen=True, slots=True)
class Base:
    """What the cycle tells the battery; it is answered when that is written.

    Attributes:
        number: Of this word, for the answer.
        power_w: The base point; None gives the battery back to its own control.
        lapse_s: Time after which the base is void unless it is told again.
        revert_w: As in `der.model.Setpoint`.
        lower_w: Where the power may be, swing included.
        upper_w: The same.
    """

    number: int
    power_w: float | None
    lapse_s: float
    revert_w: float | None
    lower_w: float
    upper_w: float
    word: Literal["base"] = "base"


@dataclass(frozen=True, slots=True)
class Span:
    """Where the power may be from now on, as long as it is told often enough."""

    lower_w: float
    upper_w: float
    word: Literal["span"] = "span"


@dataclass(frozen=True, slots=True)
class Take:
    """The battery is the process's from now on."""

    word: Literal["take"] = "take"


@dataclass(frozen=True, slots=True)
class LetGo:
    """Bring the battery to its base and close it; answered once that is done."""

    number: int
    word: Literal["let-go"] = "let-go"


@dataclass(frozen=True, slots=True)
class Time:
    """What time it is by the hub's clock.

    Attributes:
        ahead_s: By how much UTC is ahead of the monotonic clock, s.
    """

    ahead_s: float
    word: Literal["time"] = "time"


Order = Base | Span | Take | LetGo
"""What the loop carries out."""
Word = Order | Time


@dataclass(frozen=True, slots=True)
class Tick:
    """One measurement and what came of it; monotonic seconds.

    Attributes:
        due: When it was to begin.
        began: When it did.
        measured: When the frequency was there.
        wrote: When the battery had confirmed another set-point; None where there was no need.
    """

    due: float
    began: float
    measured: float
    wrote: float | None


@dataclass(frozen=True, slots=True)
class Done:
    """Answer to a word that has a number; `error` is empty if it was carried out."""

    number: int
    error: str = ""
    word: Literal["done"] = "done"


@dataclass(frozen=True, slots=True)
class Ready:
    """The process can take the battery.

    Attributes:
        priority: What the machine granted, in words.
    """

    priority: str
    word: Literal["ready"] = "ready"


@dataclass(frozen=True, slots=True)
class Report:
    """How it stands.

    Attributes:
        reading: The battery's last; None before the first.
        error: Why the battery cannot be reached; empty while it can.
        swing_w: By how much its set-point differs from the base.
        last: Number of the last message that was taken.
        trouble: What is wrong with frequency or signal, one clause; empty if nothing is.
        followed: Whether a signal is being followed now.
        ticks: Measurements since the last report.
        samples: What was asked and done, 10 s each, since the last report.
    """

    reading: Reading | None
    error: str
    swing_w: float
    last: int
    trouble: str
    followed: bool
    ticks: tuple[Tick, ...] = ()
    samples: tuple[Sample, ...] = field(default=())
    word: Literal["report"] = "report"


Answer = Done | Ready | Report

_WORD: Final = TypeAdapter[Word](Annotated[Word, Discriminator("word")])
_ANSWER: Final = TypeAdapter[Answer](Annotated[Answer, Discriminator("word")])
_DESCRIPTION: Final = TypeAdapter(DeviceDescription)
_SHARED: Final = TypeAdapter(Shared)
_SETTINGS: Final = TypeAdapter(LoopSettings)


def write_opening(
    devices: Iterable[DeviceDescription], shared: Shared, settings: LoopSettings, ahead_s: float
) -> bytes:
    """Return the first line; the arguments are those of `Opening`."""
    words = {
        "devices": [_DESCRIPTION.dump_python(device, mode="json") for device in devices],
        "shared": _SHARED.dump_python(shared, mode="json"),
        "settings": _SETTINGS.dump_python(settings, mode="json"),
        "ahead_s": ahead_s,
    }
    return json.dumps(words).encode() + b"\n"


def read_opening(line: bytes) -> Opening:
    """Return what the first line says; raises LetterError."""
    try:
        raw = json.loads(line)
        return Opening(
            tuple(_described(each) for each in raw["devices"]),
            _SHARED.validate_python(raw["shared"]),
            _SETTINGS.validate_python(raw["settings"]),
            float(raw["ahead_s"]),
        )
    except (KeyError, TypeError, ValueError, ValidationError, RecursionError) as error:
        raise LetterError(f"the first line does not say how to regulate: {error}") from error


def write_word(word: Word) -> bytes:
    """Return a further line from the hub."""
    return _WORD.dump_json(word) + b"\n"


def read_word(line: bytes) -> Word:
    """Return what a further line from the hub says; raises LetterError."""
    try:
        return _WORD.validate_json(line)
    except ValidationError as error:
        raise LetterError(f"a word makes no sense: {error.errors()[0]['msg']}") from error


def write_answer(answer: Answer) -> bytes:
    """Return a line from the process."""
    return _ANSWER.dump_json(answer) + b"\n"


def read_answer(line: bytes) -> Answer:
    """Return what a line from the process says; raises LetterError."""
    try:
        return _ANSWER.validate_json(line)
    except ValidationError as error:
        raise LetterError(f"an answer makes no sense: {error.errors()[0]['msg']}") from error


def _described(raw: dict[str, object]) -> DeviceDescription:
    """Return a device; the type of its address is that of its driver."""
    address = DRIVERS[Driver(str(raw["driver"]))].address
    at = TypeAdapter(address).validate_python(raw["at"])
    return _DESCRIPTION.validate_python({**raw, "at": at})
