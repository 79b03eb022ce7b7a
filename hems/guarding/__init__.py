"""The hub's side of its guard, the process that outlives it."""
