"""A new hub takes the place of an old one: same site, same groups, both histories kept; pure."""

from dataclasses import replace

from hems.headend.errors import ConflictError, ForbiddenError
from hems.headend.fleet.records import Actor, Hub, Role, State

_MAY_COME = frozenset({State.MADE, State.ENROLLED})


def take_place(old: Hub, new: Hub, by: Actor, now: float, reason: str) -> tuple[Hub, Hub]:
    """Return both hubs after the replacement: the old one retired, the new one in its place.

    Licence, what it may be asked for, and the site (hence all groups) go over. The new hub is not
    commissioned by that: it is to be tested at its site as any other.

    Args:
        old: The hub that goes.
        new: The hub that comes; fresh from stock.
        by: Who does it.
        now: Epoch s.
        reason: Why.

    Raises:
        ForbiddenError: He may not do it.
        ConflictError: One of them cannot take part in it.
    """
    if by.role is not Role.ENGINEER:
        raise ForbiddenError(f"{by.name}, as {by.role.value}, may not replace a hub: engineer may")
    if not reason.strip():
        raise ConflictError(f"hub {old.id} cannot be replaced: a reason must be given")
    if old.id == new.id:
        raise ConflictError(f"hub {old.id} cannot be replaced by itself")
    if old.state is State.RETIRED:
        raise ConflictError(f"hub {old.id} is retired already")
    if not old.site:
        raise ConflictError(f"hub {old.id} has no site: there is no place to take")
    if new.state not in _MAY_COME:
        raise ConflictError(
            f"hub {new.id} is {new.state}: only one that is made or enrolled can take a place"
        )
    if new.site not in {"", old.site}:
        raise ConflictError(f"hub {new.id} stands at site {new.site} already")
    if new.replaces:
        raise ConflictError(f"hub {new.id} has taken the place of {new.replaces} already")
    gone = replace(
        old, state=State.RETIRED, since=now, before=None, testing_until=0.0, replaced_by=new.id
    )
    come = replace(
        new,
        site=old.site,
        licence=new.licence or old.licence,
        policy=old.policy,
        replaces=old.id,
        testing_until=0.0,
    )
    return gone, come
