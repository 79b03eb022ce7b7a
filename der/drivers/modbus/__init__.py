"""Modbus transport shared by drivers: connections, framing, typed errors."""
