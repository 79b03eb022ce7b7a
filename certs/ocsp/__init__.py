"""OCSP (RFC 6960): a certificate's standing, asked of its CA; pure apart from `transport`."""
