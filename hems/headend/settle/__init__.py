"""What a group could do, what an event brought, and what that comes to: pure rules and queries."""
