"""The utility's side: an IEEE 2030.5 server with an operator's door for dispatch."""
