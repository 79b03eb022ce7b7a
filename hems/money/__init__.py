"""What energy cost, what it would have cost otherwise, and its carbon: kept, and told."""
