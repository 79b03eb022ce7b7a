"""The fleet as its operator keeps it: groups, sites, hubs, how far each hub is, and its papers."""
