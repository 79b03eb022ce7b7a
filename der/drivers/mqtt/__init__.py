"""MQTT devices: plugs, thermostats and meters behind the home's broker."""
