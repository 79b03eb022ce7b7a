"""Aggregators at this server: one certificate that speaks for thousands of homes."""
