"""Tables of monitoring: facts of the last hour, signals, and what the rules remember of homes."""

from sqlalchemy import BigInteger, Index, Integer
from sqlalchemy.orm import Mapped, mapped_column

from hems.headend.models import Base

_MANY = BigInteger().with_variant(Integer, "sqlite")


class FactRow(Base):
    """A fact, as one worker has seen it in one minute; see `hems.headend.monitor.facts`."""

    __tablename__ = "monitor_fact"

    number: Mapped[int] = mapped_column(_MANY, primary_key=True)
    minute: Mapped[int] = mapped_column(index=True)
    worker: Mapped[str]
    kind: Mapped[str]
    subject: Mapped[str]
    source: Mapped[str]
    count: Mapped[int] = mapped_column(BigInteger)
    value: Mapped[float]


class SignalRow(Base):
    """A signal; see `hems.headend.monitor.signals`."""

    __tablename__ = "monitor_signal"
    __table_args__ = (Index("ix_monitor_signal_ended", "ended"),)

    number: Mapped[int] = mapped_column(_MANY, primary_key=True)
    rule: Mapped[str]
    subject: Mapped[str]
    since: Mapped[float]
    seen: Mapped[float]
    ended: Mapped[float | None]
    evidence: Mapped[int] = mapped_column(BigInteger)


class PlaceRow(Base):
    """From which address a home spoke last."""

    __tablename__ = "monitor_place"

    lfdi: Mapped[str] = mapped_column(primary_key=True)
    address: Mapped[str]


class HabitRow(Base):
    """For how long a home that came back had been silent; it may be again."""

    __tablename__ = "monitor_habit"

    lfdi: Mapped[str] = mapped_column(primary_key=True)
    silent_s: Mapped[float]
    learned: Mapped[float]


class RoundRow(Base):
    """When workers judged last, and since when they have done so without a gap; one row."""

    __tablename__ = "monitor_round"

    name: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[float]
    since: Mapped[float]
