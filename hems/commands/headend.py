"""`hems headend run`: the utility's IEEE 2030.5 server, until Ctrl-C."""

import asyncio
from pathlib import Path

from certs.errors import CertificateError
from hems.commands.output import EXIT_CONFIGURATION, fail
from hems.headend.errors import HeadEndError, SettingsError
from hems.headend.monitor.logs import log_by
from hems.headend.serving import serve
from hems.headend.settings import load_settings


def run(config: Path) -> int:
    """Run the head-end; returns the exit code, with one clear error on stderr if it cannot."""
    try:
        settings = load_settings(config)
    except SettingsError as error:
        return fail(str(error), EXIT_CONFIGURATION)
    log_by(settings.log)
    try:
        asyncio.run(serve(settings, config))
    except (HeadEndError, CertificateError) as error:
        return fail(str(error))
    return 0
