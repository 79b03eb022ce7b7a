"""Frequency regulation: the quick loop in a process of its own, and its host in the controller."""
