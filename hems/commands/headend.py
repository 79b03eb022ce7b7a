"""`hems headend run`: the utility's IEEE 2030.5 server, until Ctrl-C."""

import asyncio
from pathlib import Path

from certs.errors import CertificateError
from hems.commands.output import fail
from hems.headend.errors import HeadEndError
from hems.headend.monitor.logs import log_by
from hems.headend.server import serve
from hems.headend.settings import load_settings


def run(config: Path) -> int:
    """Run the head-end; returns the exit code, 1 with one line on stderr if it cannot."""
    try:
        settings = load_settings(config)
        log_by(settings.log)
        asyncio.run(serve(settings))
    except (HeadEndError, CertificateError) as error:
        return fail(str(error))
    return 0
