"""How commands speak to the person at the terminal: results on stdout, one error on stderr."""

import sys


def fail(message: str) -> int:
    """Print one clear error and return the exit code that goes with it."""
    print(f"hems: {message}", file=sys.stderr)
    return 1
