"""Single devices of the running home, looked at and tested."""
