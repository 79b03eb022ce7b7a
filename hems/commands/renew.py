"""`hems renew`: the home's certificates renewed now, due or not, each with a new key."""

import argparse
import asyncio
import time

from certs.errors import CertificateError
from certs.est.errors import EstError
from certs.identity import lfdi
from certs.pem import der, read_certificates
from hems.commands.output import fail
from hems.commands.way_in import place_of
from hems.settings.config import load
from hems.settings.toml_file import ConfigError
from hems.setup.enrolment_renewal import renew_now


def run(options: argparse.Namespace) -> int:
    """Run `hems renew`; returns the exit code."""
    try:
        config = load(place_of(options).path)
        done = asyncio.run(renew_now(config, time.time))
        if not done:
            return fail("no certificate of this home was got by EST; there is none to renew")
        for section in done:
            certificate = read_certificates(section.certificate)[0]
            ends = certificate.not_valid_after_utc
            print(f"{section.name}: LFDI {lfdi(der(certificate))}, holds until {ends:%Y-%m-%d}")
    except (ConfigError, CertificateError, EstError) as error:
        return fail(str(error))
    return 0
