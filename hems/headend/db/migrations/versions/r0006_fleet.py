"""The fleet: topology, sites, hubs and their life, imports."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

MANY = sa.BigInteger().with_variant(sa.Integer, "sqlite")
"""Numbers of what comes without end; SQLite numbers only what it calls INTEGER by itself."""


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "fleet_group",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("parent", sa.String, nullable=False),
        sa.Column("lat", sa.Double),
        sa.Column("lon", sa.Double),
        if_not_exists=True,
    )
    op.create_table(
        "fleet_member",
        sa.Column("group", sa.String, primary_key=True),
        sa.Column("site", sa.String, primary_key=True),
        if_not_exists=True,
    )
    op.create_index("ix_fleet_member_site", "fleet_member", ["site"], if_not_exists=True)
    op.create_table(
        "fleet_site",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("group", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("address", sa.String, nullable=False),
        sa.Column("connection_point", sa.String, nullable=False),
        sa.Column("lat", sa.Double),
        sa.Column("lon", sa.Double),
        if_not_exists=True,
    )
    op.create_index("ix_fleet_site_group", "fleet_site", ["group"], if_not_exists=True)
    op.create_table(
        "fleet_hub",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("since", sa.Double, nullable=False),
        sa.Column("lfdi", sa.String, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("serial", sa.String, nullable=False),
        sa.Column("site", sa.String, nullable=False),
        sa.Column("before", sa.String),
        sa.Column("identified_at", sa.Double, nullable=False),
        sa.Column("testing_until", sa.Double, nullable=False),
        sa.Column("licence", sa.String),
        sa.Column("licence_from", sa.Double),
        sa.Column("licence_until", sa.Double),
        sa.Column("largest_event_w", sa.Integer),
        sa.Column("may_disconnect", sa.Boolean, nullable=False),
        sa.Column("replaces", sa.String, nullable=False),
        sa.Column("replaced_by", sa.String, nullable=False),
        sa.Column("batch", sa.String, nullable=False),
        if_not_exists=True,
    )
    op.create_index("ix_fleet_hub_batch", "fleet_hub", ["batch"], if_not_exists=True)
    op.create_index(
        "ix_fleet_hub_licence_until", "fleet_hub", ["licence_until"], if_not_exists=True
    )
    op.create_index("ix_fleet_hub_site", "fleet_hub", ["site"], if_not_exists=True)
    op.create_index("ix_fleet_hub_state", "fleet_hub", ["state"], if_not_exists=True)
    op.create_table(
        "fleet_identity",
        sa.Column("lfdi", sa.String, primary_key=True),
        sa.Column("hub", sa.String, nullable=False),
        sa.Column("barred", sa.Boolean, nullable=False),
        if_not_exists=True,
    )
    op.create_index("ix_fleet_identity_hub", "fleet_identity", ["hub"], if_not_exists=True)
    op.create_table(
        "fleet_commissioning",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("hub", sa.String, nullable=False),
        sa.Column("lfdi", sa.String, nullable=False),
        sa.Column("site", sa.String, nullable=False),
        sa.Column("tested_by", sa.String, nullable=False),
        sa.Column("witnessed_by", sa.String, nullable=False),
        sa.Column("checks", sa.String, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("document", sa.String, nullable=False),
        sa.Column("entered_by", sa.String, nullable=False),
        sa.Column("entered_at", sa.Double, nullable=False),
        sa.Column("seal", sa.String, nullable=False),
        if_not_exists=True,
    )
    op.create_index(
        "ix_fleet_commissioning_hub", "fleet_commissioning", ["hub"], if_not_exists=True
    )
    op.create_table(
        "fleet_history",
        sa.Column("id", MANY, primary_key=True),
        sa.Column("hub", sa.String, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("who", sa.String, nullable=False),
        sa.Column("role", sa.String, nullable=False),
        sa.Column("deed", sa.String, nullable=False),
        sa.Column("before", sa.String, nullable=False),
        sa.Column("after", sa.String, nullable=False),
        sa.Column("why", sa.String, nullable=False),
        sa.Column("site", sa.String, nullable=False),
        if_not_exists=True,
    )
    op.create_index("ix_fleet_history_hub", "fleet_history", ["hub", "id"], if_not_exists=True)
    op.create_index("ix_fleet_history_site", "fleet_history", ["site"], if_not_exists=True)
    op.create_table(
        "fleet_import",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("who", sa.String, nullable=False),
        sa.Column("begun_at", sa.Double, nullable=False),
        sa.Column("imported", sa.Integer, nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "fleet_imported_site",
        sa.Column("batch", sa.String, primary_key=True),
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("line", sa.Integer, nullable=False),
        sa.Column("group", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("address", sa.String, nullable=False),
        sa.Column("connection_point", sa.String, nullable=False),
        sa.Column("lat", sa.Double),
        sa.Column("lon", sa.Double),
        if_not_exists=True,
    )
    op.create_table(
        "fleet_imported_hub",
        sa.Column("batch", sa.String, primary_key=True),
        sa.Column("line", sa.Integer, primary_key=True),
        sa.Column("id", sa.String, nullable=False),
        sa.Column("lfdi", sa.String, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("serial", sa.String, nullable=False),
        sa.Column("site", sa.String, nullable=False),
        sa.Column("licence", sa.String),
        sa.Column("licence_until", sa.Double),
        sa.Column("largest_event_w", sa.Integer),
        sa.Column("pin", sa.Integer, nullable=False),
        sa.Column("edition", sa.String, nullable=False),
        sa.Column("known", sa.Boolean, nullable=False),
        sa.Column("column", sa.String, nullable=False),
        sa.Column("problem", sa.String, nullable=False),
        if_not_exists=True,
    )
    op.create_index(
        "ix_fleet_imported_hub_id", "fleet_imported_hub", ["batch", "id"], if_not_exists=True
    )
    op.create_index(
        "ix_fleet_imported_hub_lfdi", "fleet_imported_hub", ["batch", "lfdi"], if_not_exists=True
    )
