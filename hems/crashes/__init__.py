"""What is kept of a fault in this software that ended it: where, never with which values."""
