"""The first tables: homes, events, subscriptions, and what homes post.

The first four revisions are the versions that were counted by hand before there were revisions. A
database of one of these is taken for what it is; a new one is made at once as the present has it,
see `hems.headend.db.schema`. So no database goes through this.
"""

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Do nothing: who is of this revision has its tables."""
