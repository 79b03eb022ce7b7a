"""The homeowner's local page and its API."""
