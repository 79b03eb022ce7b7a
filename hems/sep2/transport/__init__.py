"""The way to a server and back: HTTP over mutual TLS, paging, back-off, discovery."""
