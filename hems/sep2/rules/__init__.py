"""What IEEE 2030.5 has happen to events, prices and clocks: pure, without any I/O."""
