"""The hub's own software in sides: a new version is tried beside the old one, and gives way to it.

What the launcher runs (`launcher`, `sides`, `stores`, `switch`) imports nothing but the standard
library, so that no part of a new version can keep it from going back.
"""
