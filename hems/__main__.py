"""`python -m hems` and the `hems` command."""

import sys

from hems.cli import main

if __name__ == "__main__":
    sys.exit(main())
