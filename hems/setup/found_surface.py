"""What the page may see and ask of finding, adding, changing and removing devices."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from hems.access.rights import Who
from hems.device_surface import DeviceDetail, MoveOutcome
from hems.settings.devices_file import Value
from hems.setup.device_edit import Choices, Edit
from hems.setup.kept_scan import Row
from hems.setup.scan import Search


class BusyError(Exception):
    """Something else is under way that must end first; `str()` says what."""


class RefusedError(Exception):
    """What is asked cannot be; `str()` says why, for the owner."""


class SearchState(StrEnum):
    """How a search stands."""

    NONE = "none"
    LOOKING = "looking"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class SearchView:
    """The last search for devices.

    Attributes:
        state: How it stands.
        share: What is done of it, 0 to 1.
        seen: How many devices were found so far.
        busy: Ways of finding that still look.
        found: What was found; known at its end.
        troubles: What could not be looked through, a sentence each.
        began_at: UTC epoch seconds; None before the first.
    """

    state: SearchState = SearchState.NONE
    share: float = 0.0
    seen: int = 0
    busy: Sequence[str] = ()
    found: Sequence[Row] = ()
    troubles: Sequence[str] = ()
    began_at: float | None = None


class JoinState(StrEnum):
    """How the adding of a device stands."""

    NONE = "none"
    DRAFTING = "drafting"
    """It is asked who it is."""
    TAKING = "taking"
    """The home takes it up and reaches for it."""
    MOVING = "moving"
    """It does its test move."""
    ASKING = "asking"
    """Its owner is asked whether it shall stay."""
    ADDED = "added"
    REFUSED = "refused"
    """It did not join."""
    LEFT = "left"
    """Its owner did not want it, or did not say."""

    @property
    def over(self) -> bool:
        """Whether nothing more comes of it."""
        return self in {JoinState.NONE, JoinState.ADDED, JoinState.REFUSED, JoinState.LEFT}


@dataclass(frozen=True, slots=True)
class JoinView:
    """The last device that was to join.

    Attributes:
        state: How that stands.
        device: Its id; empty while it has none.
        name: What its owner calls it.
        share: What is done of its test move, 0 to 1.
        doing: What it is told in its test move, in words.
        detail: Who answered and what it can do; None while nobody did.
        outcome: What its test move has shown; None where there was none, or not yet.
        error: Why it did not join; None where it did.
        lacking: Key of what must be said of it first; empty for nothing.
    """

    state: JoinState = JoinState.NONE
    device: str = ""
    name: str = ""
    share: float = 0.0
    doing: str = ""
    detail: DeviceDetail | None = None
    outcome: MoveOutcome | None = None
    error: str | None = None
    lacking: str = ""


@dataclass(frozen=True, slots=True)
class Joining:
    """A device that somebody wants to add.

    Attributes:
        name: What its owner calls it.
        number: Of the search's result that it is; None for none.
        given: Keys of its section that were given.
        tests: Whether it does a test move.
        move_s: How long each step of that lasts, in s.
    """

    name: str
    number: int | None = None
    given: Mapping[str, Value] = field(default_factory=dict)
    tests: bool = True
    move_s: float = 10.0


@dataclass(frozen=True, slots=True)
class SettingsView:
    """What stands of a device in the home's files.

    Attributes:
        device: Its id.
        file: The file that it stands in.
        editable: Whether the program keeps that file: what a person wrote, a person changes.
        name: As it stands there, as are all that follow.
        essentiality: 0 is shed first, 8 last, 9 never but for the main breaker.
        min_w: Least power in W, passive sign.
        max_w: Greatest power in W.
        comfort_low_c: Not colder than this; None where it has no bounds.
        comfort_high_c: Not hotter than this; likewise.
        most_w: Greatest power in W that any device may have: the main breaker's.
        choices: What of it may be changed.
    """

    device: str
    file: str
    editable: bool
    name: str
    essentiality: int
    min_w: float
    max_w: float
    comfort_low_c: float | None
    comfort_high_c: float | None
    most_w: float
    choices: Choices


class FoundSurface(Protocol):
    """What can be asked about finding, adding, changing and removing devices."""

    def search(self) -> SearchView:
        """Return how the last search stands."""
        ...

    def start(self, search: Search) -> SearchView:
        """Start a search in the background; raises BusyError while one is under way."""
        ...

    async def stop(self) -> None:
        """End the search that is under way; nothing happens if none is."""
        ...

    def joining(self) -> JoinView:
        """Return how the last adding of a device stands."""
        ...

    def join(self, joining: Joining) -> JoinView:
        """Have a device join, in the background; raises BusyError while another one does."""
        ...

    async def confirm(self, who: Who) -> JoinView:
        """Keep the device that is asked about, on somebody's word; raises RefusedError for none."""
        ...

    async def drop(self) -> JoinView:
        """Give up the device that is to join; nothing happens if none is."""
        ...

    async def settings(self, device: str) -> SettingsView:
        """Return what stands of a device in the home's files; raises UnknownDeviceError."""
        ...

    async def edit(self, device: str, edit: Edit) -> None:
        """Change it there.

        Raises:
            UnknownDeviceError: There is no such device.
            RefusedError: It cannot be so, or a person wrote it.
        """
        ...

    async def remove(self, device: str) -> None:
        """Take it out; raises as `edit`."""
        ...
