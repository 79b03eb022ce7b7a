"""What a scenario asks for and our head-end, or another's client, does not do."""


class UnfitError(Exception):
    """A scenario cannot be played; the message says what is missing, and where."""
