"""What one home could do by what it has said of itself: one rule for all who ask."""
