"""Dispatches and controls: each interval becomes one event, all of them or none."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

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
from hems.headend.errors import BusyError, ConflictError, RequestError

_Plan = tuple[Key, Sequence[Ask]]


async def create(means: Means, letter: Letter) -> Done:
    """Give orders. Nothing is ordered unless all of it makes sense.

    Raises:
        CimError: It contradicts itself or what is there, or names whom nobody knows.
        RequestError: The head-end cannot do it.
        BusyError: It cannot do it now; what was ordered already is taken back.
    """
    message, claim = letter.message, letter.claim
    noun = Noun(message.header.noun if message.header is not None else "")
    plans = await _plans(means, letter)
    for _, asks in plans:
        for ask in asks:
            means.dispatching.check(ask)
    begun: dict[Key, dict[int, str]] = {}
    try:
        for key, asks in plans:
            events = await means.orders.begin(key, claim.message_id, noun, len(asks))
            given = begun[key] = {}
            for part, (ask, event) in enumerate(zip(asks, events, strict=True)):
                given[part] = event or await means.dispatching.dispatch(ask)
                if event is None:
                    await means.orders.given(key, part, given[part])
    except (BusyError, RequestError, CimError) as error:
        await _take_back(means, begun, error)
        raise
    kind = _KIND[noun]
    return Done(
        ids=tuple(mrid_of(key.name, kind) for key, _ in plans),
        told=(Told(noun, Verb.CREATED, message.payload),),
    )


async def cancel(means: Means, letter: Letter) -> Done:
    """Cancel orders by their mRIDs, in the payload or the request's ids.

    Raises:
        CimError: There is none of this sender's, or all are over.
        BusyError: The head-end cannot do it now; what was cancelled stays so.
    """
    message, claim = letter.message, letter.claim
    noun = Noun(message.header.noun if message.header is not None else "")
    names = _names(letter)
    keys = [Key(claim.peer, name) for name in names]
    events = {key: await means.orders.events(key) for key in keys}
    for key, found in events.items():
        if not found:
            raise CimError(Fault.UNKNOWN, f"{key.name} is none of your orders", "mRID")
    late: list[Problem] = []
    cancelled = 0
    for key, found in events.items():
        for event in found:
            try:
                await means.dispatching.cancel(event)
                cancelled += 1
            except ConflictError as error:
                reason = f"{key.name}: {error}"
                late.append(Problem(code=_PARTLY, level=Level.WARNING, reason=reason))
    if late and not cancelled and claim.since is None:
        raise CimError(Fault.TOO_LATE, late[0].reason or "", "mRID")
    told = () if message.payload is None else (Told(noun, Verb.CANCELED, message.payload),)
    return Done(
        ids=tuple(mrid_of(name, _KIND[noun]) for name in names),
        result=Result.PARTIAL if late else Result.OK,
        problems=tuple(late),
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
        key = Key(letter.claim.peer, wish.mrid or letter.made_id("order", place))
        ask = Ask(tuple(sorted(homes)), wish.orders[0], wish.mandatory, letter.claim.since)
        plans.append((key, [replace(ask, order=order) for order in wish.orders]))
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
            # What begins "now" begins when the message was first begun, however often it is taken.
            now = letter.claim.began_at
            return [wish_of_control(item, now) for item in payload.controls]
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


async def _take_back(
    means: Means, begun: Mapping[Key, Mapping[int, str]], error: Exception
) -> None:
    """Undo what was ordered of a message that failed on its way.

    Raises:
        CimError: It could not all be undone; sent again, the message goes on where it stopped.
    """
    try:
        for key, given in begun.items():
            for part, event in given.items():
                await means.dispatching.cancel(event)
                await means.orders.given(key, part, None)
            await means.orders.drop(key)
    except (BusyError, RequestError) as other:
        reason = f"it failed ({error}), and could not be taken back: {other}; send it again"
        raise CimError(Fault.UNDONE, reason) from other


ACTIONS: Actions = {
    (noun, verb): action
    for noun in (Noun.DISPATCHES, Noun.CONTROLS)
    for verb, action in ((Verb.CREATE, create), (Verb.CANCEL, cancel), (Verb.DELETE, cancel))
}
