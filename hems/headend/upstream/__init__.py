"""The aggregator: a client of the utility that shares what it is asked over its own homes."""
