"""Behind a proxy that ends TLS and passes on who the client is."""
