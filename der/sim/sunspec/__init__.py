"""SunSpec devices of the simulated home: meters, inverters, their controls and curves."""
