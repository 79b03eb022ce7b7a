"""What commands read in the answers of the running hub; it may be of another version than they."""

from pydantic import BaseModel, ConfigDict


class Part(BaseModel):
    """A part of an answer; whatever else stands there is left."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Device(Part):
    """A device, as the page shows it."""

    id: str
    quality: str
    age_s: float | None
    error: str | None
    risk: str = ""


class Utility(Part):
    """A utility, as the page shows it."""

    name: str
    state: str
    detail: str
    last_contact: float | None


class HomeNow(Part):
    """The home now."""

    devices: tuple[Device, ...]
    utilities: tuple[Utility, ...]
    alarms: tuple[str, ...]


class Connection(Part):
    """A utility, as the page's security view shows it."""

    name: str
    clock_error_s: float | None


class Security(Part):
    """The page's security view."""

    connections: tuple[Connection, ...]


class Stand(Part):
    """How far a device is trusted."""

    id: str
    standing: str
    why: str


class Trust(Part):
    """How far all are."""

    devices: tuple[Stand, ...]


class State(Part):
    """How the hub says that it is, in a word."""

    status: str


class Fault(Part):
    """Why something was refused."""

    error: str
