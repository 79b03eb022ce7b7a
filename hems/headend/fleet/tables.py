"""Tables of the fleet, in the utility's database."""

from sqlalchemy import BigInteger, Index, Integer
from sqlalchemy.orm import Mapped, mapped_column

from hems.headend.models import Base


class GroupRow(Base):
    """A group of the topology, or a free one."""

    __tablename__ = "fleet_group"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    kind: Mapped[str]
    parent: Mapped[str]
    lat: Mapped[float | None]
    lon: Mapped[float | None]


class MemberRow(Base):
    """A site in a free group."""

    __tablename__ = "fleet_member"

    group: Mapped[str] = mapped_column(primary_key=True)
    site: Mapped[str] = mapped_column(primary_key=True, index=True)


class SiteRow(Base):
    """A site."""

    __tablename__ = "fleet_site"

    id: Mapped[str] = mapped_column(primary_key=True)
    group: Mapped[str] = mapped_column(index=True)
    name: Mapped[str]
    address: Mapped[str]
    connection_point: Mapped[str]
    lat: Mapped[float | None]
    lon: Mapped[float | None]


class HubRow(Base):
    """A hub; none is ever deleted. `batch` is the import that it came with, empty for none."""

    __tablename__ = "fleet_hub"

    id: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(index=True)
    since: Mapped[float]
    lfdi: Mapped[str]
    kind: Mapped[str]
    serial: Mapped[str]
    site: Mapped[str] = mapped_column(index=True)
    before: Mapped[str | None]
    identified_at: Mapped[float]
    testing_until: Mapped[float]
    licence: Mapped[str | None]
    licence_from: Mapped[float | None]
    licence_until: Mapped[float | None] = mapped_column(index=True)
    largest_event_w: Mapped[int | None]
    may_disconnect: Mapped[bool]
    replaces: Mapped[str]
    replaced_by: Mapped[str]
    batch: Mapped[str] = mapped_column(index=True)


class IdentityRow(Base):
    """An operational identity that a hub has or had; none is deleted, so that none comes again."""

    __tablename__ = "fleet_identity"

    lfdi: Mapped[str] = mapped_column(primary_key=True)
    hub: Mapped[str] = mapped_column(index=True)
    barred: Mapped[bool]


class CommissioningRow(Base):
    """A commissioning test; `checks` is JSON."""

    __tablename__ = "fleet_commissioning"

    id: Mapped[str] = mapped_column(primary_key=True)
    hub: Mapped[str] = mapped_column(index=True)
    lfdi: Mapped[str]
    site: Mapped[str]
    tested_by: Mapped[str]
    witnessed_by: Mapped[str]
    checks: Mapped[str]
    at: Mapped[float]
    document: Mapped[str]
    entered_by: Mapped[str]
    entered_at: Mapped[float]
    seal: Mapped[str]


class HistoryRow(Base):
    """A line of a hub's history; lines are added only."""

    __tablename__ = "fleet_history"
    __table_args__ = (Index("ix_fleet_history_hub", "hub", "id"),)

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    hub: Mapped[str]
    at: Mapped[float]
    who: Mapped[str]
    role: Mapped[str]
    deed: Mapped[str]
    before: Mapped[str]
    after: Mapped[str]
    why: Mapped[str]
    site: Mapped[str] = mapped_column(index=True)


class ImportRow(Base):
    """A file that is being imported; `imported` counts its lines that are in the fleet already."""

    __tablename__ = "fleet_import"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    who: Mapped[str]
    begun_at: Mapped[float]
    imported: Mapped[int]


class ImportedSiteRow(Base):
    """A site of a file, by the line that named it first."""

    __tablename__ = "fleet_imported_site"

    batch: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    line: Mapped[int]
    group: Mapped[str]
    name: Mapped[str]
    address: Mapped[str]
    connection_point: Mapped[str]
    lat: Mapped[float | None]
    lon: Mapped[float | None]


class ImportedHubRow(Base):
    """A line of a file; `problem` is why it cannot be imported, at `column`; empty for good."""

    __tablename__ = "fleet_imported_hub"
    __table_args__ = (
        Index("ix_fleet_imported_hub_id", "batch", "id"),
        Index("ix_fleet_imported_hub_lfdi", "batch", "lfdi"),
    )

    batch: Mapped[str] = mapped_column(primary_key=True)
    line: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[str]
    lfdi: Mapped[str]
    kind: Mapped[str]
    serial: Mapped[str]
    site: Mapped[str]
    licence: Mapped[str | None]
    licence_until: Mapped[float | None]
    largest_event_w: Mapped[int | None]
    pin: Mapped[int]
    edition: Mapped[str]
    known: Mapped[bool]
    column: Mapped[str]
    problem: Mapped[str]
