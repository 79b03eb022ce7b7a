"""Identity: keys, certificates, trust, revocation and TLS contexts."""
