"""What the page may see of the software agent. Plain frozen records out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class AgentView:
    """How the software agent and what it watches over stand.

    Attributes:
        watched: Whether there is one in this home.
        heard_at: When it last spoke, UTC epoch seconds; None if never.
        checked: Whether all files were read at least once.
        publisher: Who signed the software; empty while that is not known.
        version: Of the software as signed.
        number: Of the list of files that was signed; 0 while that is not known.
        until: Until when it counts, UTC epoch seconds; None while that is not known.
        files: The first of the files that are not as they were signed.
        registers: How the machine has started, by register of its TPM; empty without one.
        troubles: Why the hub cannot be relied on, one sentence each.
        excluded: Whether the home takes part in no programme for that.
    """

    watched: bool = False
    heard_at: float | None = None
    checked: bool = False
    publisher: str = ""
    version: str = ""
    number: int = 0
    until: float | None = None
    files: Sequence[str] = ()
    registers: Mapping[str, str] = field(default_factory=dict)
    troubles: Sequence[str] = ()
    excluded: bool = False


@dataclass(frozen=True, slots=True)
class PartView:
    """A part of the home with a firmware of its own.

    Attributes:
        id: Its id.
        name: What the owner calls it.
        maker: Who made it; empty where it does not say.
        model: Its model.
        serial: Its serial number.
        firmware: Its version.
    """

    id: str
    name: str
    maker: str = ""
    model: str = ""
    serial: str = ""
    firmware: str = ""


@dataclass(frozen=True, slots=True)
class InventoryView:
    """What the hub consists of.

    Attributes:
        software: Version of the hub's software.
        options: Optional parts that are installed, and features that are on.
        maker: Of the machine; empty where it does not say.
        model: Of the machine.
        hardware: Version of the machine.
        serial: Its serial number; empty where that may not be read.
        system: Of the machine, name and version.
        kernel: Its version.
        python: Its version.
        openssl: Its version.
        devices: The home's devices, in the configuration's order.
    """

    software: str
    options: Sequence[str]
    maker: str
    model: str
    hardware: str
    serial: str
    system: str
    kernel: str
    python: str
    openssl: str
    devices: Sequence[PartView] = ()


class AgentSurface(Protocol):
    """What can be asked of it."""

    def agent(self) -> AgentView:
        """Return how the agent stands."""
        ...

    def measure(self) -> None:
        """Have it measure everything anew."""
        ...

    async def accept_boot(self) -> None:
        """Take how the machine has started now for how it is to start.

        Raises:
            SurfaceError: Nothing is known of that, or it cannot be kept.
        """
        ...
