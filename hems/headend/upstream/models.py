"""Tables of the aggregator in the head-end's database: what it owes its utility, who does what."""

from sqlalchemy import BigInteger, Index, Integer, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from hems.headend.models import Base

_MANY = BigInteger().with_variant(Integer, "sqlite")


class TakenRow(Base):
    """An event of the utility; see `hems.sep2.book.ledger.EventRow`, of which it has all fields."""

    __tablename__ = "upstream_event"

    server: Mapped[str] = mapped_column(primary_key=True)
    lfdi: Mapped[str] = mapped_column(primary_key=True)
    mrid: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    program: Mapped[str]
    program_name: Mapped[str]
    primacy: Mapped[int]
    mandatory: Mapped[bool]
    body: Mapped[bytes] = mapped_column(LargeBinary)
    draw_start_s: Mapped[int]
    draw_duration_s: Mapped[int]
    draw_cancel_s: Mapped[int]
    phase: Mapped[str]
    opted_out: Mapped[bool]
    baseline_w: Mapped[float | None]
    rejoined: Mapped[bool]
    override_since: Mapped[float | None]
    overridden_s: Mapped[float]
    applied: Mapped[bytes] = mapped_column(LargeBinary)
    acknowledged: Mapped[bool]
    modes: Mapped[str | None]
    reason: Mapped[str]
    changed_at: Mapped[float]


class OwedRow(Base):
    """A response to the utility; see `hems.sep2.book.ledger.ResponseRow`."""

    __tablename__ = "upstream_response"
    __table_args__ = (UniqueConstraint("server", "subject", "lfdi", "status", "modes"),)

    id: Mapped[int] = mapped_column(_MANY, primary_key=True)
    server: Mapped[str]
    subject: Mapped[str]
    lfdi: Mapped[str]
    status: Mapped[int]
    modes: Mapped[str]
    created: Mapped[int] = mapped_column(BigInteger)
    reply_to: Mapped[str]
    kind: Mapped[str]
    location: Mapped[str | None] = mapped_column(index=True)
    detail: Mapped[bytes] = mapped_column(LargeBinary)


class OffsetRow(Base):
    """How far the utility's clock is ahead."""

    __tablename__ = "upstream_offset"

    server: Mapped[str] = mapped_column(primary_key=True)
    offset_s: Mapped[float]


class SharedRow(Base):
    """An event of the utility, or the part of it that is one kind of order, as it is shared."""

    __tablename__ = "upstream_shared"

    id: Mapped[str] = mapped_column(primary_key=True)
    server: Mapped[str]
    lfdi: Mapped[str]
    mrid: Mapped[str]
    kind: Mapped[str]
    total_w: Mapped[int] = mapped_column(BigInteger)
    start: Mapped[float]
    end: Mapped[float]
    short_w: Mapped[float]
    shared_at: Mapped[float]
    round: Mapped[int]
    told: Mapped[str]
    closed: Mapped[bool] = mapped_column(index=True)


class PartRow(Base):
    """An order of the aggregator's own: one value for one set of homes."""

    __tablename__ = "upstream_order"
    __table_args__ = (Index("ix_upstream_order_end", "end"),)

    key: Mapped[str] = mapped_column(primary_key=True)
    shared: Mapped[str] = mapped_column(index=True)
    value_w: Mapped[int] = mapped_column(BigInteger)
    made_at: Mapped[float]
    start: Mapped[float]
    end: Mapped[float]
    mrid: Mapped[str | None]
    """Of the event that it became; None until it is known to be dispatched."""


class GivenRow(Base):
    """What one home was given by one order."""

    __tablename__ = "upstream_share"

    order: Mapped[str] = mapped_column(primary_key=True)
    home: Mapped[str] = mapped_column(primary_key=True)
    borne_w: Mapped[float]
    """What it moves or forgoes by it."""
    free_w: Mapped[int] = mapped_column(BigInteger)
    baseline_w: Mapped[float | None]
    left_at: Mapped[float | None]
    """Since when it does not take part any more."""


class TurnRow(Base):
    """Which worker has the turn to do something that one alone may do."""

    __tablename__ = "upstream_turn"

    name: Mapped[str] = mapped_column(primary_key=True)
    holder: Mapped[str]
    until: Mapped[float]
