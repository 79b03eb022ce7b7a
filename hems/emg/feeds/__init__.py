"""The enterprise's bulletin taken up, and days in numbers given back (L2-FEED)."""
