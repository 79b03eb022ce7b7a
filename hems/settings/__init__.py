"""The configuration: one TOML file and the devices file beside it."""
