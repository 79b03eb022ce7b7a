"""The home as an island: permit, detection, hand-over, balance and return."""
