"""Tables of operators: the trail, and attempts to get in."""

from sqlalchemy import LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from hems.headend.models import Base


class TrailRow(Base):
    """A row of the trail; `of` is the number of the row that it says the end of, 0 for a deed."""

    __tablename__ = "operator_trail"

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[float]
    person: Mapped[str] = mapped_column(index=True)
    of: Mapped[int] = mapped_column(index=True)
    body: Mapped[str]
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    link: Mapped[bytes] = mapped_column(LargeBinary)


class AttemptRow(Base):
    """Failures that count against whoever tries to get in."""

    __tablename__ = "operator_attempt"

    key: Mapped[str] = mapped_column(primary_key=True)
    failures: Mapped[int]
    last: Mapped[float] = mapped_column(index=True)
