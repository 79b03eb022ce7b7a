"""Tables of events that are for named homes."""

from sqlalchemy import BigInteger, Index
from sqlalchemy.orm import Mapped, mapped_column

from hems.headend.models import Base


class OwnEventRow(Base):
    """An event for named homes; `modes` is a JSON object of values by mode."""

    __tablename__ = "own_event"

    mrid: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    """By which whoever ordered it knows it again."""
    kind: Mapped[str]
    modes: Mapped[str]
    start: Mapped[int] = mapped_column(BigInteger)
    duration_s: Mapped[int]
    accepted_at: Mapped[float]
    cancelled_at: Mapped[float | None]
    ramp_s: Mapped[float | None]
    binding: Mapped[bool]


class OwnHomeRow(Base):
    """A home that such an event is for."""

    __tablename__ = "own_event_home"
    __table_args__ = (Index("ix_own_event_home_lfdi", "lfdi"),)

    mrid: Mapped[str] = mapped_column(primary_key=True)
    lfdi: Mapped[str] = mapped_column(primary_key=True)
