"""Modbus devices that are described by a file."""
