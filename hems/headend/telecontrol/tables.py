"""The table of what control centres have ordered."""

from sqlalchemy.orm import Mapped, mapped_column

from hems.headend.models import Base


class PointOrderRow(Base):
    """The last order of a point: by it a command that is sent again is known, and one ends it.

    `value` is what was commanded, in the unit of the quantity; `event` the mRID.
    """

    __tablename__ = "telecontrol_order"

    common: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    address: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    centre: Mapped[str]
    value: Mapped[float]
    event: Mapped[str]
    ordered_at: Mapped[float]
