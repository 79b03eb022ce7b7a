"""The hub on the home's network: its name, its own certificate, how a phone comes to trust it."""
