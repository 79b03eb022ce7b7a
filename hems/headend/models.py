"""Tables of the utility's database; `hems.headend.db.migrations` brings older ones up to these."""

from sqlalchemy import BigInteger, Index, Integer, LargeBinary, UniqueConstraint, text, true
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

_MANY = BigInteger().with_variant(Integer, "sqlite")
"""Numbers of what comes without end; SQLite numbers only what it calls INTEGER by itself."""


def _of_agents(name: str) -> Index:
    """Return the index of what was posted by aggregators; other rows cost it nothing."""
    only = text("agent IS NOT NULL")
    return Index(name, "agent", "id", sqlite_where=only, postgresql_where=only)


class Base(DeclarativeBase):
    """Base of the utility's tables."""


class SchemaRow(Base):
    """What programs from before there were revisions take for the version, in PostgreSQL; one row.

    `hems.headend.db.schema` has it tell them that they are too old.
    """

    __tablename__ = "hems_schema"

    version: Mapped[int] = mapped_column(primary_key=True)


class ChangeRow(Base):
    """A record that workers hold in memory has changed; numbered in the order of commits."""

    __tablename__ = "change"

    number: Mapped[int] = mapped_column(_MANY, primary_key=True)
    kind: Mapped[str]
    key: Mapped[str]


class HomeRow(Base):
    """A registered home; `aggregator` is the LFDI of who speaks for it, empty for itself."""

    __tablename__ = "home"

    id: Mapped[int] = mapped_column(primary_key=True)
    lfdi: Mapped[str] = mapped_column(unique=True)
    pin: Mapped[int]
    edition: Mapped[str]
    registered_at: Mapped[float]
    in_band: Mapped[bool]
    last_contact: Mapped[float | None]
    aggregator: Mapped[str] = mapped_column(default="", server_default="")


class EventRow(Base):
    """A dispatched event; `modes` is a JSON object of values by mode."""

    __tablename__ = "event"

    mrid: Mapped[str] = mapped_column(primary_key=True)
    program: Mapped[str]
    modes: Mapped[str]
    start: Mapped[int] = mapped_column(BigInteger)
    duration_s: Mapped[int]
    randomize_start_s: Mapped[int]
    randomize_duration_s: Mapped[int]
    accepted_at: Mapped[float]
    cancelled_at: Mapped[float | None]
    cancel_randomized: Mapped[bool]
    ramp_s: Mapped[float | None]


class SubscriptionRow(Base):
    """A home's subscription; one for each resource.

    `told` marks what it was told last, as of the change `told_change`, by whoever claimed it at
    `told_at`; `taken` says whether that was seen through.
    """

    __tablename__ = "subscription"
    __table_args__ = (UniqueConstraint("lfdi", "resource"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    lfdi: Mapped[str]
    resource: Mapped[str] = mapped_column(index=True)
    uri: Mapped[str]
    item_limit: Mapped[int]
    level: Mapped[str]
    told: Mapped[str] = mapped_column(default="", server_default="")
    told_change: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    told_at: Mapped[float] = mapped_column(default=0.0, server_default="0")
    taken: Mapped[bool] = mapped_column(default=True, server_default=true())


class NotifiedRow(Base):
    """When a home that then took it was first sent an event."""

    __tablename__ = "notified"

    mrid: Mapped[str] = mapped_column(primary_key=True)
    lfdi: Mapped[str] = mapped_column(primary_key=True)
    sent_at: Mapped[float] = mapped_column(index=True)


class ResponseRow(Base):
    """A home's response to an event, stored once; `agent` is the aggregator of the home, if any."""

    __tablename__ = "response"
    __table_args__ = (
        UniqueConstraint("lfdi", "subject", "status", "modes", "created"),
        _of_agents("ix_response_agent"),
    )

    id: Mapped[int] = mapped_column(_MANY, primary_key=True)
    lfdi: Mapped[str]
    subject: Mapped[str] = mapped_column(index=True)
    status: Mapped[int]
    modes: Mapped[str]
    created: Mapped[int] = mapped_column(BigInteger)
    received_at: Mapped[float]
    kind: Mapped[str]
    body: Mapped[bytes] = mapped_column(LargeBinary)
    agent: Mapped[str | None]


class DocumentRow(Base):
    """The last XML a home put to one of its own resources (DERStatus, DeviceInformation ...)."""

    __tablename__ = "document"

    lfdi: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    body: Mapped[bytes] = mapped_column(LargeBinary)
    updated_at: Mapped[float]


class LogRow(Base):
    """A LogEvent of a home."""

    __tablename__ = "log_event"

    id: Mapped[int] = mapped_column(_MANY, primary_key=True)
    lfdi: Mapped[str] = mapped_column(index=True)
    created: Mapped[int] = mapped_column(BigInteger)
    body: Mapped[bytes] = mapped_column(LargeBinary)


class PointRow(Base):
    """A mirror usage point; `agent` is the aggregator of its home, if any."""

    __tablename__ = "usage_point"
    __table_args__ = (UniqueConstraint("lfdi", "mrid"), _of_agents("ix_usage_point_agent"))

    id: Mapped[int] = mapped_column(primary_key=True)
    lfdi: Mapped[str]
    mrid: Mapped[str]
    role: Mapped[str]
    body: Mapped[bytes] = mapped_column(LargeBinary)
    agent: Mapped[str | None]


class MeterRow(Base):
    """A mirror meter reading: what its readings mean, as codes of its ReadingType."""

    __tablename__ = "meter"
    __table_args__ = (UniqueConstraint("point", "mrid"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    point: Mapped[int] = mapped_column(index=True)
    mrid: Mapped[str]
    description: Mapped[str]
    uom: Mapped[int | None]
    flow: Mapped[int | None]
    multiplier: Mapped[int]
    phase: Mapped[int | None]
    qualifier: Mapped[int | None]


class ReadingRow(Base):
    """One reading; a repeated post of the same interval replaces it."""

    __tablename__ = "reading"
    __table_args__ = (
        UniqueConstraint("meter", "start", "local_id"),
        Index("ix_reading_start", "start"),
    )

    id: Mapped[int] = mapped_column(_MANY, primary_key=True)
    meter: Mapped[int]
    start: Mapped[int] = mapped_column(BigInteger)
    local_id: Mapped[str]
    duration_s: Mapped[int] = mapped_column(BigInteger)
    value: Mapped[float]


class ThinnedRow(Base):
    """Old readings of a slot as one: `start`, `duration_s` and `value` are read as a reading's.

    `kind` is 0 for momentary values, else the length of the interval, s; the rest is what further
    readings of the slot are merged into (`hems.headend.thinning`).
    """

    __tablename__ = "thinned"
    __table_args__ = (Index("ix_thinned_start", "start"),)

    meter: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    slot: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    kind: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    start: Mapped[int] = mapped_column(BigInteger)
    duration_s: Mapped[int] = mapped_column(BigInteger)
    value: Mapped[float]
    readings: Mapped[int]
    total: Mapped[float]
    weighted: Mapped[float]
    least: Mapped[float]
    greatest: Mapped[float]
    last: Mapped[float]
    last_at: Mapped[int] = mapped_column(BigInteger)
    marks: Mapped[str]


class ItemRow(Base):
    """A record that is held in memory (curve, price, message ...); `body` is JSON."""

    __tablename__ = "item"
    __table_args__ = (UniqueConstraint("kind", "id"),)

    number: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    id: Mapped[str]
    owner: Mapped[str]
    body: Mapped[str]
