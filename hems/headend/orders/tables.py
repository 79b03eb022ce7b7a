"""Tables of orders: under which names operators gave them."""

from sqlalchemy.orm import Mapped, mapped_column

from hems.headend.models import Base


class OrderKeyRow(Base):
    """An order that an operator has named, and what came of it.

    `person` is who gave it, as people are told apart, empty for the machine; `digest` is of what
    was asked, `made` the mRID of the event, or the id of the proposal.
    """

    __tablename__ = "order_key"

    person: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[str]
    made: Mapped[str]
    kept_at: Mapped[float] = mapped_column(index=True)
