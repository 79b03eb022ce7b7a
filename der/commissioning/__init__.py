"""Proves that a device can be controlled, and that the meter sees it, before it is relied on."""
