"""Tables of the utility's database. A schema version in SQLite's user_version guards them."""

from sqlalchemy import Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

SCHEMA_VERSION = 2
"""Counted up with each change of these tables; a file of another version is refused, unless
`hems.headend.store` knows how to bring it up to date."""


class Base(DeclarativeBase):
    """Base of the utility's tables."""


class HomeRow(Base):
    """A registered home."""

    __tablename__ = "home"

    id: Mapped[int] = mapped_column(primary_key=True)
    lfdi: Mapped[str] = mapped_column(unique=True)
    pin: Mapped[int]
    edition: Mapped[str]
    registered_at: Mapped[float]
    in_band: Mapped[bool]
    last_contact: Mapped[float | None]


class EventRow(Base):
    """A dispatched event; `modes` is a JSON object of values by mode."""

    __tablename__ = "event"

    mrid: Mapped[str] = mapped_column(primary_key=True)
    program: Mapped[str]
    modes: Mapped[str]
    start: Mapped[int]
    duration_s: Mapped[int]
    randomize_start_s: Mapped[int]
    randomize_duration_s: Mapped[int]
    accepted_at: Mapped[float]
    cancelled_at: Mapped[float | None]
    cancel_randomized: Mapped[bool]
    ramp_s: Mapped[float | None]


class SubscriptionRow(Base):
    """A home's subscription; one for each resource."""

    __tablename__ = "subscription"
    __table_args__ = (UniqueConstraint("lfdi", "resource"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    lfdi: Mapped[str]
    resource: Mapped[str]
    uri: Mapped[str]
    item_limit: Mapped[int]
    level: Mapped[str]


class ResponseRow(Base):
    """A home's response to an event, stored once."""

    __tablename__ = "response"
    __table_args__ = (UniqueConstraint("lfdi", "subject", "status", "modes", "created"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    lfdi: Mapped[str]
    subject: Mapped[str] = mapped_column(index=True)
    status: Mapped[int]
    modes: Mapped[str]
    created: Mapped[int]
    received_at: Mapped[float]
    kind: Mapped[str]
    body: Mapped[bytes] = mapped_column(LargeBinary)


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

    id: Mapped[int] = mapped_column(primary_key=True)
    lfdi: Mapped[str] = mapped_column(index=True)
    created: Mapped[int]
    body: Mapped[bytes] = mapped_column(LargeBinary)


class PointRow(Base):
    """A mirror usage point."""

    __tablename__ = "usage_point"
    __table_args__ = (UniqueConstraint("lfdi", "mrid"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    lfdi: Mapped[str]
    mrid: Mapped[str]
    role: Mapped[str]
    body: Mapped[bytes] = mapped_column(LargeBinary)


class MeterRow(Base):
    """A mirror meter reading: what its readings mean."""

    __tablename__ = "meter"
    __table_args__ = (UniqueConstraint("point", "mrid"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    point: Mapped[int] = mapped_column(index=True)
    mrid: Mapped[str]
    description: Mapped[str]
    uom: Mapped[int | None]
    flow: Mapped[int | None]
    multiplier: Mapped[int]


class ReadingRow(Base):
    """One reading; a repeated post of the same interval replaces it."""

    __tablename__ = "reading"
    __table_args__ = (
        UniqueConstraint("meter", "start", "local_id"),
        Index("ix_reading_start", "start"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    meter: Mapped[int]
    start: Mapped[int]
    local_id: Mapped[str]
    duration_s: Mapped[int]
    value: Mapped[float]


class ItemRow(Base):
    """A record that is held in memory (curve, price, message ...); `body` is JSON."""

    __tablename__ = "item"
    __table_args__ = (UniqueConstraint("kind", "id"),)

    number: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    id: Mapped[str]
    owner: Mapped[str]
    body: Mapped[str]
