"""What a hub's log says of faults in the hub itself."""

from collections.abc import Iterator
from itertools import groupby
from typing import Final

_FAULTS: Final = ("Traceback (most recent call last)", "Fatal Python error")


def faults_in(text: str) -> Iterator[str]:
    """Yield each record that has a traceback below it, with the last line of that.

    A record begins at the margin; its traceback stands below it, indented.
    """
    record, said = "", [line for line in text.splitlines() if line]
    for indented, group in groupby(said, key=lambda line: line[0].isspace()):
        lines = list(group)
        begins = [n for n, line in enumerate(lines) if line.strip().startswith(_FAULTS)]
        if indented:
            if begins:
                yield f"{record}: {lines[-1].strip()}" if record else lines[-1].strip()
            continue
        record = lines[-1]
        yield from (lines[n] for n in begins)
