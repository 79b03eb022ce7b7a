"""What the page may see and ask of the hub's own software. Plain frozen records out."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, Protocol

When = Literal["now", "window"]
"""Whether a version is tried at the next quiet moment, or in the hours that are set for it."""


class Stage(StrEnum):
    """How far a change of version is."""

    IDLE = "idle"
    """One version runs, and nothing is on its way."""
    FETCHING = "fetching"
    """It is fetched and verified."""
    INSTALLING = "installing"
    """It is installed beside, and tried with this home's configuration and store."""
    BESIDE = "beside"
    """It is installed beside, and waits to be asked for."""
    ARMED = "armed"
    """The next start is its first."""
    TRIAL = "trial"
    """It runs, and must prove itself."""


@dataclass(frozen=True, slots=True)
class OfferView:
    """A newer version that both have signed.

    Attributes:
        version: Which one.
        words: What its maker says of it; empty for nothing.
        vendor: Who made and signed it.
        provider: Where the service provider has put it, who has signed it too: a host, or a folder.
        fits: Whether there is an archive of it for this machine.
        failed: Whether it has failed here before.
        put_off: Whether the owner has said "not now".
    """

    version: str
    words: str
    vendor: str
    provider: str
    fits: bool
    failed: bool
    put_off: bool


@dataclass(frozen=True, slots=True)
class UpdatesView:
    """How the hub's own software stands.

    Attributes:
        runs: The version that runs.
        warning: Why it must not run any more, one sentence; empty where it may.
        able: Whether this hub can change its version by itself: it was installed as a package.
        looks: Whether it is told where newer versions are.
        looked_at: When that was last looked at and verified, UTC epoch seconds; None for never.
        offer: What is newer; None for nothing.
        stage: How far a change is.
        version: Which version that is about; empty for none.
        until: When a trial ends at the latest, UTC epoch seconds; None where none runs.
        hurried: Whether it does not wait for its hours.
        former: The version that can be gone back to; empty for none.
        returned: Why a version was taken back last, one clause; empty where none was, or somebody
            wanted it.
        error: Why what was asked last was not done; empty where it was.
        automatic: Whether newer versions are installed unasked.
        window: The hours in which the hub may be started anew with one: "02:00-05:00".
    """

    runs: str
    warning: str = ""
    able: bool = False
    looks: bool = False
    looked_at: float | None = None
    offer: OfferView | None = None
    stage: Stage = Stage.IDLE
    version: str = ""
    until: float | None = None
    hurried: bool = False
    former: str = ""
    returned: str = ""
    error: str = ""
    automatic: bool = False
    window: str = ""


class UpdatesSurface(Protocol):
    """The hub's own software."""

    async def updates(self) -> UpdatesView:
        """Return how it stands."""
        ...

    async def install(self, version: str, when: When, who: str) -> None:
        """Have the version that is offered installed and tried; it goes on after this returns.

        Raises:
            SurfaceError: It is not offered, or something else is under way.
        """
        ...

    async def put_off(self, version: str, who: str) -> None:
        """Have a version not tried, and say no more of it.

        Raises:
            SurfaceError: It is on trial already, or nobody takes the order.
        """
        ...

    async def go_back(self, who: str) -> None:
        """Have the former version run from the next quiet moment on.

        Raises:
            SurfaceError: There is none, or nobody takes the order.
        """
        ...
