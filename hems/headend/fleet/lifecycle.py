"""Which way a hub may go in its life, by whose hand, and what must be shown for it; pure.

made, enrolled, commissioned, operating: that is the way forth, a step at a time, and from the
last two a step back. From each of them a hub can be quarantined; out of that it comes back to
where it was, or to enrolled. From any it can be retired, which is for good.
"""

from dataclasses import dataclass, replace
from typing import Final

from hems.headend.errors import ConflictError, ForbiddenError
from hems.headend.fleet.commissioning import flaw_of
from hems.headend.fleet.policy import IdentityPolicy
from hems.headend.fleet.records import Actor, Commissioning, Hub, Role, State

_BY_HAND: Final = frozenset({Role.ENGINEER})
_BY_SERVER: Final = frozenset({Role.SYSTEM})
_BY_BOTH: Final = _BY_HAND | _BY_SERVER


@dataclass(frozen=True, slots=True)
class Way:
    """A way from one state to another.

    Attributes:
        roles: Who may take a hub along it.
        reason: Whether it must be said why.
        identity: Whether an operational identity that is not revoked must be there.
        site: Whether it must be known where the hub is.
        test: Whether a passed, witnessed test must be on record; for one that has had it before it
            need not be recent.
        fresh: Whether that must be a recent one.
        licence: Whether a licence must hold.
    """

    roles: frozenset[Role] = _BY_HAND
    reason: bool = False
    identity: bool = False
    site: bool = False
    test: bool = False
    fresh: bool = False
    licence: bool = False


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known when a hub is to go on.

    Attributes:
        now: Epoch s.
        reason: Why; may be empty.
        record: Its latest commissioning record; None for none.
        revoked: Whether its operational identity was taken back.
    """

    now: float
    reason: str = ""
    record: Commissioning | None = None
    revoked: bool = False


_ENROL: Final = Way(_BY_BOTH, identity=True)
_COMMISSION: Final = Way(identity=True, site=True, test=True, fresh=True)
_OPERATE: Final = Way(identity=True, site=True, test=True, licence=True)
_BACK: Final = Way(reason=True)
_QUARANTINE: Final = Way(_BY_BOTH, reason=True)
_RETIRE: Final = Way(reason=True)

WAYS: Final = {
    (State.MADE, State.ENROLLED): _ENROL,
    (State.ENROLLED, State.COMMISSIONED): _COMMISSION,
    (State.COMMISSIONED, State.OPERATING): _OPERATE,
    (State.OPERATING, State.COMMISSIONED): _BACK,
    (State.COMMISSIONED, State.ENROLLED): _BACK,
    (State.QUARANTINED, State.MADE): _BACK,
    (State.QUARANTINED, State.ENROLLED): replace(_BACK, identity=True),
    (State.QUARANTINED, State.COMMISSIONED): replace(_COMMISSION, reason=True, fresh=False),
    (State.QUARANTINED, State.OPERATING): replace(_OPERATE, reason=True),
    **{
        (state, State.QUARANTINED): _QUARANTINE
        for state in (State.MADE, State.ENROLLED, State.COMMISSIONED, State.OPERATING)
    },
    **{(state, State.RETIRED): _RETIRE for state in State if state is not State.RETIRED},
}
"""All there are; out of a quarantine only those to where the hub was and to enrolled are open."""


def move(hub: Hub, to: State, by: Actor, shown: Evidence, policy: IdentityPolicy) -> Hub:
    """Return a hub in its new state.

    Args:
        hub: As it stands.
        to: Where it is to go.
        by: Who wants that.
        shown: What is known.
        policy: What must be shown.

    Raises:
        ForbiddenError: He may not do it.
        ConflictError: There is no such way, or something that it needs is not shown.
    """
    way = WAYS.get((hub.state, to))
    if way is None or not _open(hub, to):
        raise ConflictError(f"hub {hub.id} is {hub.state}; from there it cannot become {to}")
    if by.role not in way.roles:
        allowed = " or ".join(sorted(role.value for role in way.roles))
        raise ForbiddenError(
            f"{by.name}, as {by.role.value}, may not make hub {hub.id} {to}: {allowed} may"
        )
    if why := lacking(way, hub, shown, policy):
        raise ConflictError(f"hub {hub.id} cannot become {to}: {why}")
    return replace(
        hub,
        state=to,
        since=shown.now,
        before=hub.state if to is State.QUARANTINED else None,
        testing_until=0.0,
    )


def identify(hub: Hub, lfdi: str, now: float, policy: IdentityPolicy, *, renewed: bool) -> Hub:
    """Return a hub with an operational identity that it was just given.

    A renewed one was asked for with the one before, so that everything else stays. Any other is a
    new beginning: whoever holds the key of it has to pass a test first.

    Args:
        hub: As it stands.
        lfdi: The identity.
        now: Epoch s.
        policy: Who may have one.
        renewed: Whether the hub has shown the one before.

    Raises:
        ForbiddenError: It is retired, or of a make that is not admitted.
    """
    if hub.state is State.RETIRED:
        raise ForbiddenError(f"hub {hub.id} is retired: it gets no identity any more")
    if not policy.admits(hub.kind):
        raise ForbiddenError(f"hub {hub.id}: hardware of make {hub.kind or 'unknown'} is barred")
    if renewed and hub.lfdi:
        return replace(hub, lfdi=lfdi)
    begun = replace(hub, lfdi=lfdi, identified_at=now, testing_until=0.0)
    if hub.state is State.QUARANTINED:
        return replace(begun, before=State.ENROLLED)
    return replace(begun, state=State.ENROLLED, since=now)


def open_test(hub: Hub, by: Actor, now: float, lasting_s: float, policy: IdentityPolicy) -> Hub:
    """Return an enrolled hub that is served for its test for a while; 0 s ends that.

    Raises:
        ForbiddenError: He may not do it.
        ConflictError: It is not to be tested, or not for so long.
    """
    if by.role is not Role.ENGINEER:
        raise ForbiddenError(f"{by.name}, as {by.role.value}, may not open a test: engineer may")
    if hub.state is not State.ENROLLED:
        raise ConflictError(f"hub {hub.id} is {hub.state}; only an enrolled one is tested so")
    if lasting_s > policy.test_window_s:
        raise ConflictError(
            f"hub {hub.id}: a test may last {policy.test_window_s / 3600:g} hours at most"
        )
    return replace(hub, testing_until=now + lasting_s if lasting_s > 0 else 0.0)


def lacking(way: Way, hub: Hub, shown: Evidence, policy: IdentityPolicy) -> str | None:
    """Return what a way needs and is not shown; None where all is there."""
    if way.reason and not shown.reason.strip():
        return "a reason must be given"
    if way.identity and not hub.lfdi:
        return "it has no operational identity"
    if way.identity and shown.revoked:
        return f"its identity {hub.lfdi} was revoked"
    if way.identity and not policy.admits(hub.kind):
        return f"hardware of make {hub.kind or 'unknown'} is not admitted"
    if way.site and not hub.site:
        return "it has no site"
    if way.test and (flaw := flaw_of(shown.record, hub, policy, shown.now, fresh=way.fresh)):
        return flaw
    if way.licence and policy.licence_needed:
        return _licence_flaw(hub, shown.now)
    return None


def must_stop(hub: Hub, now: float, policy: IdentityPolicy, *, revoked: bool) -> str | None:
    """Return why a hub has to be quarantined now; None where it may go on.

    Args:
        hub: As it stands.
        now: Epoch s.
        policy: What it must show.
        revoked: Whether its operational identity was taken back.
    """
    if hub.state not in {State.ENROLLED, State.COMMISSIONED, State.OPERATING}:
        return None
    if revoked:
        return f"its identity {hub.lfdi} was revoked"
    if hub.state is State.OPERATING and policy.licence_needed:
        return _licence_flaw(hub, now)
    return None


def _open(hub: Hub, to: State) -> bool:
    """Whether a quarantine may end there: never further on than it began."""
    if hub.state is not State.QUARANTINED or to is State.RETIRED or hub.before is None:
        return hub.state is not State.QUARANTINED or to is State.RETIRED
    return to is hub.before or (to is State.ENROLLED and hub.before is not State.MADE)


def _licence_flaw(hub: Hub, now: float) -> str | None:
    if hub.licence is None:
        return "it has no licence"
    if not hub.licence.valid(now):
        return f"licence {hub.licence.number} does not hold now"
    return None
