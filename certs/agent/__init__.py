"""The software agent: a process beside the hub that measures the hub's software and its machine.

It runs for years on a small computer, so it lives on the standard library alone; what needs more
(certificates, a TPM) is done by processes that end when they have answered.
"""
