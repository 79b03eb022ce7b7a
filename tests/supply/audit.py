"""What is known of our own source and of the parts of others: `make audit`.

Fails on a finding of bandit without a reason, and on a known vulnerability that is not accepted
for the time being. Out of reach of the advisories' source it says so, goes by what is kept, and
does not fail: a build must not depend on somebody else's server.
"""

import argparse
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

from tests.supply import accepted, advisories, source_check
from tests.supply.accepted import Accepted
from tests.supply.advisories import Advisory, Kept, UnreachedError
from tests.supply.parts import PYTHON_LOCK, Part, all_parts

OLD_DAYS: Final = 30


def judged(found: Sequence[Advisory], known: Accepted, today: date) -> tuple[list[str], list[str]]:
    """Return what counts, and what is accepted for now."""
    counts: list[str] = []
    excused: list[str] = []
    for each in found:
        held = known.holds(each.part, frozenset(each.ids), today)
        (excused if held else counts).append(each.line())
    return counts, excused


def from_kept(kept: Kept, parts: Sequence[Part], today: date) -> tuple[list[Advisory], list[str]]:
    """Return what is kept about parts as they are now, and what must be said of its age."""
    if kept.day is None:
        return [], ["no answer was ever kept: nothing is known of vulnerabilities of parts"]
    now = advisories.asked(parts)
    changed = [name for name, version in now.items() if kept.asked.get(name) != version]
    age = (today - kept.day).days
    said = [f"going by what was told on {kept.day.isoformat()}, {age} days ago"]
    if age > OLD_DAYS:
        said.append(f"WARNING: that is older than {OLD_DAYS} days")
    if changed:
        said.append(f"WARNING: it says nothing of {len(changed)} parts that have changed since")
    versions = {(name, each) for name, text in now.items() for each in text.split()}
    return [each for each in kept.found if (each.part, each.version) in versions], said


def audit_source(known: Accepted) -> bool:
    """Look through our own source; return whether all is well."""
    found = source_check.findings()
    wrong, stale = source_check.judged(found, known)
    for line in (*wrong, *stale):
        print(f"  {line}")
    print(f"audit: bandit: {len(found)} findings, {len(wrong)} of them without a reason")
    return not wrong and not stale


def audit_parts(
    parts: Sequence[Part],
    known: Accepted,
    today: date,
    *,
    source: str,
    kept: Path,
    keep: bool = False,
    lock: Path = PYTHON_LOCK,
) -> bool:
    """Ask what is known of parts; return whether all is well, or cannot be known."""
    try:
        found = advisories.told(parts, source, lock)
    except UnreachedError as error:
        print(f"audit: advisories are out of reach: {error}")
        found, said = from_kept(advisories.read_kept(kept), parts, today)
        for line in (*said, *(each.line() for each in found)):
            print(f"  {line}")
        return True
    if keep:
        told = Kept(day=today, asked=advisories.asked(parts), found=tuple(found))
        advisories.keep(told, kept)
    counts, excused = judged(found, known, today)
    counts += known.too_long(today)
    for line in counts:
        print(f"  {line}")
    for line in excused:
        print(f"  accepted for now: {line}")
    print(
        f"audit: {len(parts)} parts: {len(counts)} known vulnerabilities, {len(excused)} accepted"
    )
    return not counts


def main(arguments: Sequence[str] | None = None, today: date | None = None) -> int:
    """Audit; return the exit status."""
    line = argparse.ArgumentParser(description=__doc__)
    line.add_argument("--source", default=advisories.SOURCE, help="address of the advisories")
    line.add_argument("--kept", type=Path, default=advisories.KEPT, help="what was told last")
    line.add_argument("--keep", action="store_true", help="keep what is told now")
    line.add_argument("--parts-only", action="store_true", help="not our own source")
    options = line.parse_args(arguments)
    day = today or datetime.now(UTC).date()
    known = accepted.read()
    sound = options.parts_only or audit_source(known)
    well = audit_parts(
        all_parts(), known, day, source=options.source, kept=options.kept, keep=options.keep
    )
    return 0 if sound and well else 1


if __name__ == "__main__":
    raise SystemExit(main())
