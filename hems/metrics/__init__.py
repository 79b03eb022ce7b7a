"""Numbers of a running program, as Prometheus asks for them: what hub and head-end share."""
