"""OCPP 1.6J: what a charger says and is told, in this version's messages."""
