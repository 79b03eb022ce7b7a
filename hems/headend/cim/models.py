"""Tables of the enterprise side: trail, messages taken, orders, groups, what is to go out.

Nothing here is held in memory: any number of workers share it.
"""

from sqlalchemy import BigInteger, Index, Integer, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from hems.headend.models import Base

_MANY = BigInteger().with_variant(Integer, "sqlite")


class CimMessageRow(Base):
    """The audit trail: each message that came or went, and what became of it."""

    __tablename__ = "cim_message"
    __table_args__ = (Index("ix_cim_message_id", "message_id"), Index("ix_cim_message_at", "at"))

    number: Mapped[int] = mapped_column(_MANY, primary_key=True)
    at: Mapped[float]
    direction: Mapped[str]
    carrier: Mapped[str]
    peer: Mapped[str]
    source: Mapped[str]
    message_id: Mapped[str]
    correlation_id: Mapped[str]
    verb: Mapped[str]
    noun: Mapped[str]
    pattern: Mapped[str]
    digest: Mapped[str]
    octets: Mapped[int]
    result: Mapped[str]
    code: Mapped[str]
    reason: Mapped[str]


class CimTakenRow(Base):
    """A message that was taken, and its answer; `body` is there while it waits to be acted on."""

    __tablename__ = "cim_taken"
    __table_args__ = (Index("ix_cim_taken_next", "next_at"),)

    peer: Mapped[str] = mapped_column(primary_key=True)
    message_id: Mapped[str] = mapped_column(primary_key=True)
    meaning: Mapped[str]
    taken_at: Mapped[float]
    carrier: Mapped[str]
    status: Mapped[int]
    answer: Mapped[bytes] = mapped_column(LargeBinary)
    body: Mapped[bytes | None] = mapped_column(LargeBinary)
    next_at: Mapped[float | None]


class CimOrderRow(Base):
    """One interval of a dispatch or control, and the event that was made of it."""

    __tablename__ = "cim_order"
    __table_args__ = (Index("ix_cim_order_event", "event"),)

    peer: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    part: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[str]
    noun: Mapped[str]
    given_at: Mapped[float]
    event: Mapped[str]


class CimGroupRow(Base):
    """A group of homes."""

    __tablename__ = "cim_group"

    mrid: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    description: Mapped[str]


class CimMemberRow(Base):
    """A home in a group."""

    __tablename__ = "cim_member"

    mrid: Mapped[str] = mapped_column(primary_key=True)
    lfdi: Mapped[str] = mapped_column(primary_key=True)


class CimSubscriptionRow(Base):
    """Who wants to be told of what, and where."""

    __tablename__ = "cim_subscription"
    __table_args__ = (UniqueConstraint("peer", "noun", "address"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    peer: Mapped[str]
    noun: Mapped[str]
    address: Mapped[str]


class CimPostRow(Base):
    """A message that is to go out; `audit` is its row in the trail."""

    __tablename__ = "cim_post"
    __table_args__ = (Index("ix_cim_post_next", "next_at"),)

    number: Mapped[int] = mapped_column(_MANY, primary_key=True)
    address: Mapped[str]
    message_id: Mapped[str]
    body: Mapped[bytes] = mapped_column(LargeBinary)
    next_at: Mapped[float]
    tries: Mapped[int]
    expires_at: Mapped[float]
    audit: Mapped[int] = mapped_column(BigInteger)


class CimMarkRow(Base):
    """Up to which number what homes tell has been passed on."""

    __tablename__ = "cim_mark"

    kind: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger)
