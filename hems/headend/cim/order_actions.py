"""Dispatches and controls: each interval becomes one event."""

from collections.abc import Sequence

from hems.headend.cim.actions import (
    Actions,
    Done,
    Letter,
    Means,
    Told,
    device_named,
    group_named,
    ids_of,
    mrid_of,
)
from hems.headend.cim.der import DERGroupDispatches
from hems.headend.cim.envelope import Level, Problem, Result, Verb
from hems.headend.cim.errors import CimError, Fault
from hems.headend.cim.metering import EndDeviceControls
from hems.headend.cim.nouns import Noun
from hems.headend.cim.order_table import Key
from hems.headend.cim.ordering import MOST_PARTS, Wish, wish_of_control, wish_of_dispatch
from hems.headend.cim.ports import Ask
from hems.headend.errors import ConflictError

_Plan = tuple[Key, Sequence[Ask]]


async def create(means: Means, letter: Letter) -> Done:
    """Give orders.

    Raises:
        CimError: It contradicts itself or what is there, or names whom nobody knows.
        RequestError: The head-end cannot do it.
        BusyError: It cannot do it now.
    """
    noun = _noun(letter)
    plans = await _plans(means, letter)
    for key, asks in plans:
        events = [await means.dispatching.dispatch(ask) for ask in asks]
        await means.orders.add(key, letter.taken.message_id, noun, events)
    return Done(
        ids=tuple(mrid_of(key.name, _KIND[noun]) for key, _ in plans),
        told=(Told(noun, Verb.CREATED, letter.message.payload),),
    )


async def cancel(means: Means, letter: Letter) -> Done:
    """Cancel orders by their mRIDs, in the payload or the request's ids.

    Raises:
        CimError: There is none of this sender's, or all are over.
        BusyError: The head-end cannot do it now.
    """
    message, noun = letter.message, _noun(letter)
    names = _names(letter)
    keys = [Key(letter.taken.peer, name) for name in names]
    events = {key: await means.orders.events(key) for key in keys}
    for key, found in events.items():
        if not found:
            raise CimError(Fault.UNKNOWN, f"{key.name} is none of your orders", "mRID")
    late: list[CimError] = []
    cancelled = 0
    for key, found in events.items():
        for event in found:
            try:
                await means.dispatching.cancel(event)
                cancelled += 1
            except ConflictError as error:
                late.append(CimError(Fault.TOO_LATE, f"{key.name}: {error}", "mRID"))
    if late and not cancelled:
        raise late[0]
    told = () if message.payload is None else (Told(noun, Verb.CANCELED, message.payload),)
    return Done(
        ids=tuple(mrid_of(name, _KIND[noun]) for name in names),
        result=Result.PARTIAL if late else Result.OK,
        problems=tuple(
            Problem(code=_PARTLY, level=Level.WARNING, reason=each.reason) for each in late
        ),
        told=told,
    )


_PARTLY = "0.2"
_KIND = {Noun.DISPATCHES: "DERGroupDispatch", Noun.CONTROLS: "EndDeviceControl"}


async def _plans(means: Means, letter: Letter) -> Sequence[_Plan]:
    """Return what is to be ordered of whom."""
    plans: list[_Plan] = []
    for place, wish in enumerate(_wishes(letter)):
        homes = dict.fromkeys(device_named(means, device) for device in wish.devices)
        for named in wish.groups:
            homes |= dict.fromkeys((await group_named(means, named)).homes)
        if not homes:
            raise CimError(Fault.NOT_TRIED, "there is no home in the group", "EndDeviceGroup")
        key = Key(letter.taken.peer, wish.mrid or letter.made_id("order", place))
        everyone = tuple(sorted(homes))
        plans.append((key, [Ask(everyone, order, wish.mandatory) for order in wish.orders]))
    if len({key for key, _ in plans}) != len(plans):
        raise CimError(Fault.RELATION, "an mRID is there twice", "Payload")
    if sum(len(asks) for _, asks in plans) > MOST_PARTS:
        raise CimError(Fault.TOO_MANY, f"more than {MOST_PARTS} intervals", "Payload")
    return plans


def _wishes(letter: Letter) -> Sequence[Wish]:
    match letter.message.payload:
        case DERGroupDispatches() as payload:
            return [wish_of_dispatch(item) for item in payload.dispatches]
        case EndDeviceControls() as payload:
            return [wish_of_control(item, letter.now) for item in payload.controls]
        case _:
            raise CimError(Fault.PAYLOAD, "it holds no order", "Payload")


def _names(letter: Letter) -> Sequence[str]:
    names = [each.value for each in ids_of(letter.message)]
    match letter.message.payload:
        case DERGroupDispatches() as payload:
            found = [item.mrid for item in payload.dispatches]
        case EndDeviceControls() as payload:
            found = [item.mrid for item in payload.controls]
        case _:
            found = []
    if None in found:
        raise CimError(Fault.PAYLOAD, "what is cancelled needs its mRID", "mRID")
    names += [name for name in found if name is not None]
    if not names:
        raise CimError(Fault.PAYLOAD, "it does not say what is cancelled", "Request/ID")
    return list(dict.fromkeys(names))


def _noun(letter: Letter) -> Noun:
    header = letter.message.header
    if header is None:
        raise CimError(Fault.HEADER, "there is none", "Header")
    return Noun(header.noun)


ACTIONS: Actions = {
    (noun, verb): action
    for noun in (Noun.DISPATCHES, Noun.CONTROLS)
    for verb, action in ((Verb.CREATE, create), (Verb.CANCEL, cancel), (Verb.DELETE, cancel))
}
