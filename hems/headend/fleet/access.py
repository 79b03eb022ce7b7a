"""What a hub is served, by how far it is in its life; pure."""

from enum import Flag, auto
from typing import Final

from hems.headend.fleet.records import State


class Access(Flag):
    """What a hub may do at the server."""

    NOTHING = 0
    OWN = auto()
    """Read Time, DeviceCapability, its own EndDevice and its registration."""
    DEFAULTS = auto()
    """Read its programmes and what holds while no event does; it sees no events."""
    EVENTS = auto()
    """Read events, prices and messages, subscribe to them and answer them."""
    REPORTS = auto()
    """Put what it says of itself, post readings and log events, ask for reservations."""


ALL: Final = Access.OWN | Access.DEFAULTS | Access.EVENTS | Access.REPORTS

_ALLOWED: Final = {
    State.MADE: Access.NOTHING,
    State.ENROLLED: Access.OWN,
    State.COMMISSIONED: ALL,
    State.OPERATING: ALL,
    State.QUARANTINED: Access.OWN | Access.DEFAULTS,
    State.RETIRED: Access.NOTHING,
}


def allowed(state: State) -> Access:
    """Return what a hub of a state is served."""
    return _ALLOWED[state]


def served(state: State, testing_until: float, now: float) -> Access:
    """Return what a hub is served now; during its test an enrolled one is served all of it."""
    if state is State.ENROLLED and now < testing_until:
        return ALL
    return allowed(state)
