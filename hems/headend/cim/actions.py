"""What is done about a message: one entry a noun and verb."""

import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from hems.headend.cim.der import EndDevice, GroupNamed
from hems.headend.cim.entries import Taken
from hems.headend.cim.envelope import Identity, Message, Problem, Result, Verb
from hems.headend.cim.errors import CimError, Fault
from hems.headend.cim.nouns import Noun
from hems.headend.cim.order_table import OrderTable
from hems.headend.cim.ports import Dispatching, Fleet, Group, Groups

_SPACE: Final = uuid.UUID("0d1d0c5e-4f0e-5b1a-9a1e-0a6f6f1b2c3d")
"""Of the ids that are made here of a message's: the same message makes the same ones again."""


@dataclass(frozen=True, slots=True)
class Told:
    """What others are to be told of.

    Attributes:
        noun: What it is about.
        verb: What happened.
        payload: The objects.
    """

    noun: Noun
    verb: Verb
    payload: object


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a message.

    Attributes:
        payload: What was asked for.
        ids: Of what was made or touched.
        result: Whether all of it was done.
        problems: What was not.
        told: What others are to be told of.
    """

    payload: object | None = None
    ids: tuple[Identity, ...] = ()
    result: Result = Result.OK
    problems: tuple[Problem, ...] = ()
    told: tuple[Told, ...] = ()


@dataclass(frozen=True, slots=True)
class Means:
    """What actions work on. Those that change something run in one transaction.

    Attributes:
        groups: The groups.
        dispatching: Who gives orders to homes.
        fleet: What homes are and tell.
        orders: What was made of which order.
    """

    groups: Groups
    dispatching: Dispatching
    fleet: Fleet
    orders: OrderTable


@dataclass(frozen=True, slots=True)
class Letter:
    """A message that is to be acted on.

    Attributes:
        taken: Who sent it, under which id.
        message: What it says.
        now: When it is acted on, epoch s.
    """

    taken: Taken
    message: Message
    now: float

    def made_id(self, *parts: object) -> str:
        """Return an id for something that this message makes and does not name."""
        text = "\n".join((self.taken.peer, self.taken.message_id, *map(str, parts)))
        return str(uuid.uuid5(_SPACE, text))


Action = Callable[[Means, Letter], Awaitable[Done]]
Actions = Mapping[tuple[Noun, Verb], Action]


def mrid_of(value: str, kind: str) -> Identity:
    """Return an id for a reply."""
    return Identity(value=value, kind="mRID", object_type=kind)


async def group_named(means: Means, named: GroupNamed) -> Group:
    """Return a group by what somebody calls it.

    Raises:
        CimError: There is none, or what it is called by is missing or contradicts itself.
    """
    name = named.names[0].name if named.names else None
    if named.mrid is None and name is None:
        raise CimError(Fault.PAYLOAD, "it has neither mRID nor name", "EndDeviceGroup")
    found = await means.groups.find(mrid=named.mrid, name=None if named.mrid else name)
    if found is None:
        raise CimError(Fault.UNKNOWN, f"there is no group {named.mrid or name}", "EndDeviceGroup")
    if name is not None and found.name != name:
        reason = f"the group {found.mrid} has the name {found.name}, not {name}"
        raise CimError(Fault.RELATION, reason, "EndDeviceGroup")
    return found


def device_named(means: Means, device: EndDevice) -> str:
    """Return a home's LFDI.

    Raises:
        CimError: There is no such home.
    """
    named = device.mrid or (device.names[0].name if device.names else "")
    if not named:
        raise CimError(Fault.PAYLOAD, "it has neither mRID nor name", "EndDevice")
    lfdi = named.upper()
    if not means.fleet.knows(lfdi):
        raise CimError(Fault.METER, f"there is no home {named[:60]}", "EndDevice")
    return lfdi


def ids_of(message: Message) -> Sequence[Identity]:
    """Return the ids that a message's request part names."""
    return () if message.request is None else message.request.ids
