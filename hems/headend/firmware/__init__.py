"""Firmware lists signed by vendor and service provider: a TUF repository of static files."""
