"""What a hub's log says of faults in the hub itself."""

from collections.abc import Iterator
from typing import Final

_FAULTS: Final = ("Traceback (most recent call last)", "Fatal Python error")


def faults_in(text: str) -> Iterator[str]:
    """Yield the record that each traceback belongs to: it stands below it, indented."""
    record = ""
    for line in text.splitlines():
        if line.strip().startswith(_FAULTS):
            yield record or line
        if line and not line[0].isspace():
            record = line
