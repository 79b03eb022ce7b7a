"""`python -m hems` and the `hems` command."""

import sys

from certs.keys.memory import keep_out_of_cores
from hems import cli


def main() -> int:
    """Run the command line as a process of its own; returns its exit code."""
    keep_out_of_cores()
    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
