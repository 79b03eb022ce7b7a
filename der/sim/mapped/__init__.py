"""Modbus devices of other makers, written out apart from the descriptions that drive them."""
