"""How commands speak to the person at the terminal: results on stdout, one error on stderr."""

import logging
import os
import sys
from typing import Final

from hems.journal import is_journal, prefixed

EXIT_ERROR: Final = 1
"""It cannot be done now; another attempt may do."""
EXIT_CONFIGURATION: Final = 78
"""A file that a person has written must be mended first; starting again is no use (EX_CONFIG of
sysexits.h, which systemd's `RestartPreventExitStatus=` names)."""


def fail(message: str, code: int = EXIT_ERROR) -> int:
    """Print one clear error and return the exit code that goes with it."""
    text = f"hems: {message}"
    print(prefixed(text, logging.ERROR) if is_journal(os.environ) else text, file=sys.stderr)
    return code
