"""Orders of events: how large they are, whom a contract keeps out, and who must agree to them."""
