"""What the software of a hub consists of, as its provider signed it."""
