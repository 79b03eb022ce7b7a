"""The OCSP responder of the utility's CAs (RFC 6960)."""
