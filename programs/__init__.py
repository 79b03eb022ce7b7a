"""The use cases: one file a use case, pure functions from signals to proposals."""
