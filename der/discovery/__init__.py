"""Finding devices in the home: what announces itself, what answers, what calls in."""
