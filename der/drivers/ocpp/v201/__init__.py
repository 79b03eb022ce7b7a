"""OCPP 2.0.1: what a charging station says and is told, in this version's messages."""
