"""A Modbus server for simulated devices, written out and able to misbehave."""
