"""Simulated devices: an energy-balanced home that answers on real sockets."""
