"""OCPP driver: the central system that EV chargers call."""
