"""Groups made, changed, deleted: on request, or because their master has told that they were."""

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
from hems.headend.cim.der import DERGroups, DeviceGroup, GroupNamed, Name
from hems.headend.cim.envelope import DONE, Verb
from hems.headend.cim.errors import CimError, Fault
from hems.headend.cim.nouns import Noun
from hems.headend.cim.ports import Group
from hems.headend.cim.telling import device_group

_LONGEST_NAME = 120
_TOLD = {verb: told for told, verb in DONE.items()}


async def create(means: Means, letter: Letter) -> Done:
    """Make groups; one that is there just so already is no error.

    Raises:
        CimError: One is there and another, a name is missing, a home is not known.
    """
    made = []
    for place, item in enumerate(_items(letter)):
        if not item.names:
            raise CimError(Fault.PAYLOAD, "a group needs a name", "EndDeviceGroup/Names")
        group = Group(
            item.mrid or letter.made_id("group", place),
            _name(item),
            item.description or "",
            _homes(means, item),
        )
        known = await means.groups.find(mrid=group.mrid)
        if known not in {None, group}:
            reason = f"there is a group {group.mrid} already"
            raise CimError(Fault.RELATION, reason, "EndDeviceGroup/mRID")
        made.append(group)
    return await _saved(means, made, Verb.CREATE)


async def change(means: Means, letter: Letter) -> Done:
    """Change groups: their homes are those that are given from then on.

    Raises:
        CimError: One is not there, a home is not known.
    """
    changed = []
    for item in _items(letter):
        named = GroupNamed(mrid=item.mrid, names=() if item.mrid else item.names)
        known = await group_named(means, named)
        name = _name(item) if item.names else known.name
        description = known.description if item.description is None else item.description
        changed.append(Group(known.mrid, name, description, _homes(means, item)))
    return await _saved(means, changed, Verb.CHANGE)


async def delete(means: Means, letter: Letter) -> Done:
    """Delete groups, named by the payload or the request's ids.

    Raises:
        CimError: One is not there.
    """
    payload = letter.message.payload
    named = [GroupNamed(mrid=each.value) for each in ids_of(letter.message)]
    if payload is not None:
        named += [GroupNamed(mrid=item.mrid, names=item.names) for item in _items(letter)]
    if not named:
        raise CimError(Fault.PAYLOAD, "it names no group", "Payload")
    gone = [await group_named(means, each) for each in named]
    await means.groups.delete(*(group.mrid for group in gone))
    return _done(gone, Verb.DELETE)


async def _saved(means: Means, groups: Sequence[Group], verb: Verb) -> Done:
    names = [group.name for group in groups]
    if len(set(names)) != len(names) or len({group.mrid for group in groups}) != len(names):
        raise CimError(Fault.RELATION, "a group is there twice", "DERGroups")
    for group in groups:
        other = await means.groups.find(name=group.name)
        if other is not None and other.mrid != group.mrid:
            reason = f"the group {other.mrid} has the name {group.name} already"
            raise CimError(Fault.RELATION, reason, "EndDeviceGroup/Names")
    await means.groups.save(*groups)
    return _done(groups, verb)


def _done(groups: Sequence[Group], verb: Verb) -> Done:
    told = DERGroups(groups=tuple(map(device_group, groups)))
    return Done(
        ids=tuple(mrid_of(group.mrid, "EndDeviceGroup") for group in groups),
        told=(Told(Noun.GROUPS, _TOLD[verb], told),),
    )


def _items(letter: Letter) -> Sequence[DeviceGroup]:
    payload = letter.message.payload
    if not isinstance(payload, DERGroups):
        raise CimError(Fault.PAYLOAD, "it holds no DERGroups", "Payload")
    return payload.groups


def _homes(means: Means, item: DeviceGroup) -> tuple[str, ...]:
    found = [device_named(means, device) for device in item.devices]
    if len(set(found)) != len(found):
        raise CimError(Fault.RELATION, "a home is there twice", "EndDeviceGroup/EndDevices")
    return tuple(sorted(found))


def _name(item: DeviceGroup) -> str:
    names: Sequence[Name] = item.names
    if len(names[0].name) > _LONGEST_NAME:
        reason = f"a name is longer than {_LONGEST_NAME} characters"
        raise CimError(Fault.PAYLOAD, reason, "EndDeviceGroup/Names")
    return names[0].name


ACTIONS: Actions = {
    (Noun.GROUPS, Verb.CREATE): create,
    (Noun.GROUPS, Verb.CHANGE): change,
    (Noun.GROUPS, Verb.DELETE): delete,
}
