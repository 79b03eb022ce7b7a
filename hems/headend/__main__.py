"""Run the utility's server alone: `python -m hems.headend --config headend.toml`."""

import argparse
import asyncio
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from certs.errors import CertificateError
from hems.headend.errors import HeadEndError
from hems.headend.server import serve
from hems.headend.settings import load_settings


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until told to stop; return the exit status, 1 with one line on stderr if it cannot."""
    parser = argparse.ArgumentParser(prog="hems.headend", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="TOML file with the settings")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        asyncio.run(serve(load_settings(options.config)))
    except (HeadEndError, CertificateError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
