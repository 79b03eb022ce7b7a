"""What time the hub believes it is, who says so, how well, and what holds while nobody does."""
