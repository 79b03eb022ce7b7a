"""Drivers: one module a protocol; each translates its device's signs and scales in one table."""
