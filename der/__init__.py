"""Distributed energy resources: device model, service model, drivers and simulated devices."""
