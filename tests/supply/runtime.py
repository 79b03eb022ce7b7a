"""What of the lock file runs in a hub or a head-end, without what builds and tests them.

`python -m tests.supply.runtime [EXTRA ...]` prints it: the same versions and hashes, for
`pip install --require-hashes`; `--only NAME ...` prints these parts and what they need. It needs
nothing but Python and the tree.
"""

import argparse
import sys
import tomllib
from collections.abc import Iterable

from tests.supply.parts import PROJECT, PYTHON_LOCK, children_of, closure, names, pinned


class NoSuchExtraError(Exception):
    """The project has no such extra; `str()` names it and those that there are."""


def runtime(lock: str, project: bytes, extras: Iterable[str]) -> str:
    """Return the part of a lock file that an installation needs.

    Args:
        lock: The lock file's text, with hashes and with notes of who needs what.
        project: The project's own description, TOML.
        extras: Which of its extras are to be there.

    Raises:
        NoSuchExtraError: One of them is none of the project's.
    """
    told = tomllib.loads(project.decode())["project"]
    known = told["optional-dependencies"]
    wanted = list(told["dependencies"])
    for extra in extras:
        if extra not in known:
            raise NoSuchExtraError(f"no extra {extra!r}: there are {', '.join(sorted(known))}")
        wanted += known[extra]
    return part_of(lock, wanted)


def part_of(lock: str, wanted: Iterable[str]) -> str:
    """Return the part of a lock file with what is wanted, and with all that it needs."""
    pins = list(pinned(lock))
    needed = closure(names(wanted), children_of(pins))
    return "".join(pin.text for pin in pins if pin.name in needed)


def main() -> int:
    """Print it; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("extras", nargs="*", metavar="EXTRA")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these parts alone")
    options = parser.parse_args()
    lock, project = PYTHON_LOCK.read_text(encoding="utf-8"), PROJECT.read_bytes()
    try:
        if options.only:
            print(part_of(lock, options.only), end="")
        else:
            print(runtime(lock, project, options.extras), end="")
    except NoSuchExtraError as error:
        print(f"runtime: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
