"""This program as a service of its machine: what it tells systemd, and when."""
