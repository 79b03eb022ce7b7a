"""What stored energy is worth while nobody knows the day, and how a battery behaves by it."""
