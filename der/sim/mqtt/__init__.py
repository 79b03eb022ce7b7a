"""Simulated devices behind the MQTT broker."""
