"""What can go wrong with pushing.

    PushError
    ├── BadSubscriptionError      a browser's wish that cannot be taken
    └── UnknownSubscriptionError  there is none of this id, or it is another person's

Each message is one sentence for the person in front of the browser.
"""


class PushError(Exception):
    """Base of all; `str()` says what and why."""


class BadSubscriptionError(PushError):
    """A browser's wish cannot be taken."""


class UnknownSubscriptionError(PushError):
    """There is no subscription of this id, or it is another person's."""
