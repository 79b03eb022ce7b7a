"""Readings that homes post, into the database: those of many homes by few statements."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Final

from sqlalchemy import Connection, bindparam, select

from hems.headend.errors import RequestError, UnknownItemError
from hems.headend.models import MeterRow, PointRow, ReadingRow
from hems.headend.sql import Insert, insert

Saved = Sequence[tuple[int, bool]]
"""Of each meter reading of a post, its number and whether it is new."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A reading as posted: whole `value`, still without its meter's power of ten.

    Attributes:
        start: Begin of its interval, epoch s.
        duration_s: Its length.
        local_id: localID, or "" if none.
        value: As posted.
    """

    start: int
    duration_s: int
    local_id: str
    value: int


@dataclass(frozen=True, slots=True)
class MeterPost:
    """What one MirrorMeterReading brought; None where it did not say.

    Attributes:
        mrid: Its mRID.
        description: Its description.
        uom: Unit code.
        flow: flowDirection code.
        multiplier: powerOfTenMultiplier.
        samples: Its readings.
        phase: Code of the phases that it is of.
        qualifier: dataQualifier code: average, least, greatest ...
    """

    mrid: str
    description: str | None
    uom: int | None
    flow: int | None
    multiplier: int | None
    samples: Sequence[Sample]
    phase: int | None = None
    qualifier: int | None = None


@dataclass(frozen=True, slots=True)
class ReadingsPost:
    """What a home posted to one of its usage points.

    Attributes:
        lfdi: The home's.
        point: Number of the usage point.
        meters: What was posted.
    """

    lfdi: str
    point: int
    meters: Sequence[MeterPost]


_Key = tuple[int, str]
"""A meter: the number of its usage point, and its mRID."""


@dataclass(frozen=True, slots=True)
class _Meter:
    """What the readings of a meter mean."""

    description: str = ""
    uom: int | None = None
    flow: int | None = None
    multiplier: int = 0
    phase: int | None = None
    qualifier: int | None = None

    def told(self, post: MeterPost) -> "_Meter":
        """Return it as it is after a post; what that does not say stays."""
        return _Meter(
            self.description if post.description is None else post.description,
            self.uom if post.uom is None else post.uom,
            self.flow if post.flow is None else post.flow,
            self.multiplier if post.multiplier is None else post.multiplier,
            self.phase if post.phase is None else post.phase,
            self.qualifier if post.qualifier is None else post.qualifier,
        )


def save_posts(
    connection: Connection, posts: Sequence[ReadingsPost]
) -> Sequence[Saved | RequestError]:
    """Store posts, in their order.

    Args:
        connection: In a transaction.
        posts: Of any homes.

    Returns:
        What came of each: an error where the home has no such usage point.
    """
    own = _owners(connection, {post.point for post in posts})
    sound = [post for post in posts if own.get(post.point) == post.lfdi]
    numbers, known = _meters(connection, sound)
    old, meters = set(known), dict(known)
    values: dict[tuple[_Key, int, str], tuple[int, float]] = {}
    new: list[list[bool]] = []
    for post in sound:
        new.append([])
        for posted in post.meters:
            key = post.point, posted.mrid
            meter = meters[key] = meters.get(key, _Meter()).told(posted)
            new[-1].append(key not in old)
            old.add(key)
            for sample in posted.samples:
                # One statement may not write the same reading twice; the last one counts.
                values[key, sample.start, sample.local_id] = (
                    sample.duration_s,
                    sample.value * 10.0**meter.multiplier,
                )
    changed = {key: meter for key, meter in meters.items() if meter != known.get(key)}
    numbers |= _save_meters(connection, changed)
    _save_readings(connection, numbers, values)
    fresh = iter(new)
    return [
        [
            (numbers[post.point, meter.mrid], is_new)
            for meter, is_new in zip(post.meters, next(fresh), strict=True)
        ]
        if own.get(post.point) == post.lfdi
        else UnknownItemError(f"device {post.lfdi} has no usage point {post.point}")
        for post in posts
    ]


def _owners(connection: Connection, points: Collection[int]) -> Mapping[int, str]:
    """Return whose usage points are; they stay until the transaction ends."""
    rows = connection.execute(_OWNERS, {"points": list(points)})
    return {row.id: row.lfdi for row in rows}


def _meters(
    connection: Connection, posts: Iterable[ReadingsPost]
) -> tuple[dict[_Key, int], dict[_Key, _Meter]]:
    """Return the numbers of posted meters that are known, and what their readings mean."""
    keys = {(post.point, meter.mrid) for post in posts for meter in post.meters}
    if not keys:
        return {}, {}
    rows = connection.execute(
        _METERS, {"points": [point for point, _ in keys], "mrids": [mrid for _, mrid in keys]}
    )
    numbers: dict[_Key, int] = {}
    known: dict[_Key, _Meter] = {}
    for row in rows:
        key = row.point, row.mrid
        if key in keys:  # another home's may have the same mRID
            numbers[key] = row.id
            known[key] = _Meter(**{name: getattr(row, name) for name in _MEANING})
    return numbers, known


def _save_meters(connection: Connection, meters: Mapping[_Key, _Meter]) -> Mapping[_Key, int]:
    """Insert or update meters; returns their numbers."""
    if not meters:
        return {}
    rows = [
        {"point": point, "mrid": mrid, **{name: getattr(meter, name) for name in _MEANING}}
        for (point, mrid), meter in sorted(meters.items(), key=itemgetter(0))
    ]
    made = insert(connection, MeterRow)
    told = {name: made.excluded[name] for name in _MEANING}
    done = connection.execute(
        made.on_conflict_do_update(index_elements=["point", "mrid"], set_=told).returning(
            MeterRow.id, MeterRow.point, MeterRow.mrid
        ),
        rows,
    )
    return {(row.point, row.mrid): row.id for row in done}


def _save_readings(
    connection: Connection,
    numbers: Mapping[_Key, int],
    values: Mapping[tuple[_Key, int, str], tuple[int, float]],
) -> None:
    if not values:
        return
    name = connection.dialect.name
    made = _readings.get(name)
    if made is None:
        blank = insert(connection, ReadingRow)
        told = {column: blank.excluded[column] for column in ("duration_s", "value")}
        made = _readings[name] = blank.on_conflict_do_update(
            index_elements=["meter", "start", "local_id"], set_=told
        )
    # In one order, so that two transactions cannot wait for each other's rows.
    rows = sorted(
        (numbers[key], start, local_id, duration_s, value)
        for (key, start, local_id), (duration_s, value) in values.items()
    )
    connection.execute(made, [dict(zip(_READING, row, strict=True)) for row in rows])


# Statements are made once: to write one takes longer than to run it.
_OWNERS: Final = (
    select(PointRow.id, PointRow.lfdi)
    .where(PointRow.id.in_(bindparam("points", expanding=True)))
    .with_for_update(read=True, key_share=True)  # SQLite has one writer and does without
)
_MEANING: Final = ("description", "uom", "flow", "multiplier", "phase", "qualifier")
_METERS: Final = select(MeterRow.__table__).where(
    MeterRow.point.in_(bindparam("points", expanding=True)),
    MeterRow.mrid.in_(bindparam("mrids", expanding=True)),
)
_READING: Final = ("meter", "start", "local_id", "duration_s", "value")
_readings: Final[dict[str, Insert]] = {}
