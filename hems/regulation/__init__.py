"""Frequency regulation: a small process moves one battery ten times a second around its base."""
