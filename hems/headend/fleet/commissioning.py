"""The witnessed commissioning test: what a record must be, its seal, and whether it still counts.

Pure. The seal is a hash over the whole record: whoever changes one in the database has to change
the seal too, and that of the page which tester and witness have signed does not fit any more.
"""

import hashlib
import hmac
import json
import unicodedata
from collections.abc import Iterable
from dataclasses import asdict, replace

from hems.headend.errors import DispatchError
from hems.headend.fleet.policy import IdentityPolicy
from hems.headend.fleet.records import Commissioning, Hub, State

_TESTED_IN = frozenset({State.ENROLLED, State.COMMISSIONED, State.OPERATING, State.QUARANTINED})


def seal_of(record: Commissioning) -> str:
    """Return SHA-256 over a record without its seal, hex."""
    content = json.dumps(asdict(replace(record, seal="")), sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(content.encode()).hexdigest()


def unchanged(record: Commissioning) -> bool:
    """Whether a record is what was sealed."""
    return hmac.compare_digest(record.seal, seal_of(record))


def accept(record: Commissioning, hub: Hub, policy: IdentityPolicy) -> Commissioning:
    """Return a record sealed, if it is one; whether the test was passed does not matter.

    Args:
        record: As it was entered.
        hub: That was tested.
        policy: What a test must contain.

    Raises:
        DispatchError: It is no record of a witnessed test of this hub as it is now.
    """
    where = f"commissioning of hub {hub.id}"
    if hub.state not in _TESTED_IN or not hub.lfdi:
        raise DispatchError(f"{where}: a hub that is {hub.state} cannot be tested")
    if not hub.site:
        raise DispatchError(f"{where}: it has no site, so it cannot have been tested at one")
    if not _person(record.tested_by) or not _person(record.witnessed_by):
        raise DispatchError(f"{where}: both who tested and who witnessed must be named")
    if _person(record.tested_by) == _person(record.witnessed_by):
        raise DispatchError(f"{where}: {record.tested_by!r} cannot witness his own test")
    if record.at > record.entered_at:
        raise DispatchError(f"{where}: at: the test lies in the future")
    names = [check.name for check in record.checks]
    if doubled := _first_doubled(names):
        raise DispatchError(f"{where}: checks: {doubled!r} is told twice")
    if missing := [name for name in policy.checks if name not in names]:
        raise DispatchError(f"{where}: checks: {', '.join(missing)} missing")
    made = replace(record, hub=hub.id, lfdi=hub.lfdi, site=hub.site)
    return replace(made, seal=seal_of(made))


def flaw_of(
    record: Commissioning | None, hub: Hub, policy: IdentityPolicy, now: float, *, fresh: bool
) -> str | None:
    """Return why a record does not make its hub a commissioned one; None where it does.

    Args:
        record: The latest of the hub; None for none.
        hub: As it stands.
        policy: What a test must contain.
        now: Epoch s.
        fresh: Whether the test must be a recent one; not so for a hub that was commissioned by it.
    """
    if record is None:
        return "no commissioning test is on record"
    if not unchanged(record):
        return f"commissioning record {record.id} was changed after it was sealed"
    if record.hub != hub.id or record.entered_at < hub.identified_at:
        return f"the test was made with identity {record.lfdi}, which it has no more"
    if record.site != hub.site:
        return f"the test was made at site {record.site}, not {hub.site or 'none'}"
    if failed := [check.name for check in record.checks if not check.passed]:
        return f"the test was not passed: {', '.join(failed)}"
    if missing := [n for n in policy.checks if n not in {check.name for check in record.checks}]:
        return f"the test did not cover {', '.join(missing)}"
    if fresh and now - record.at > policy.test_valid_s:
        return f"the test is older than {policy.test_valid_s / 86_400:g} days"
    return None


def _person(name: str) -> str:
    """Return a name so that two ways to write it are one."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def _first_doubled(names: Iterable[str]) -> str | None:
    seen = set[str]()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None
