"""Which programmes the home takes part in, what they delivered, and what is settled on."""
