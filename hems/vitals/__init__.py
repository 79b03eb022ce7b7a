"""The hub looked at from outside: what it tells a program that watches it."""
