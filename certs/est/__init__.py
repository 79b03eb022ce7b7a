"""Enrolment over secure transport (RFC 7030): the hub's side, and what both sides say."""
