"""`hems headend run`: the utility's IEEE 2030.5 server, until Ctrl-C."""

import asyncio
import logging
from pathlib import Path

from certs.errors import CertificateError
from hems.commands.output import fail
from hems.headend.errors import HeadEndError
from hems.headend.server import serve
from hems.headend.settings import load_settings
from hems.logs import log_to_stderr


def run(config: Path) -> int:
    """Run the head-end; returns the exit code, 1 with one line on stderr if it cannot."""
    log_to_stderr(logging.INFO)
    try:
        asyncio.run(serve(load_settings(config)))
    except (HeadEndError, CertificateError) as error:
        return fail(str(error))
    return 0
