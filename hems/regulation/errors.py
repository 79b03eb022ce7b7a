"""What can go wrong between the hub and its regulating process.

RegulationError
├── LetterError   a line between the two makes no sense
└── GoneError     the process has ended, or no longer answers
"""


class RegulationError(Exception):
    """Base of them all; `str()` is one sentence."""


class LetterError(RegulationError):
    """A line makes no sense."""


class GoneError(RegulationError):
    """The process has ended, or no longer answers."""
