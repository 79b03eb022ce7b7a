"""Events for homes one by one: each home has programmes of its own, which nobody else sees."""
