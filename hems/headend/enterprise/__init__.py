"""The enterprise's word to its gateways, and the days in numbers that they give back (L2-FEED)."""
