"""The utility's EST server (RFC 7030): new homes get their certificates from it."""
