"""What settlement keeps in the utility's database."""

from sqlalchemy import BigInteger, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from hems.headend.models import Base


class SettlementRow(Base):
    """A settlement of an event; `body` is its CSV file, deflated."""

    __tablename__ = "settlement"

    event: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    sha256: Mapped[str]
    made_at: Mapped[float]
    made_by: Mapped[str]
    homes: Mapped[int] = mapped_column(BigInteger)
    body: Mapped[bytes] = mapped_column(LargeBinary)
