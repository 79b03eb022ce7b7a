"""Trusted devices: what each proved when it was trusted, and what becomes of one that changes."""
