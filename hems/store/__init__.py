"""The hub's store: effect ledger, history and settings on SQLAlchemy."""
