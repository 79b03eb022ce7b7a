"""The events of one EndDevice: taken in, followed, durable in the ledger, answered."""
