"""One order for a whole group of homes: who does how much of it, and what became of it; pure."""
