"""`hems enrol CODE`: a home enrolled at its utility in one go, by EST (RFC 7030)."""

import argparse
import asyncio
import sys
import time
from typing import Final

from certs.errors import CertificateError
from certs.est.errors import WaitError
from certs.identity import IdentityFiles, lfdi
from certs.pem import der, read_certificates
from hems import units
from hems.commands.first_start import prepared
from hems.commands.output import fail
from hems.commands.way_in import place_of
from hems.settings.config import Config
from hems.settings.toml_file import ConfigError
from hems.setup.editing import Editor
from hems.setup.enrolment import EnrolmentError
from hems.setup.enrolment_code import enrol_by_code, legible
from hems.setup.identity import KeyRing

_LONGEST_STEP_S: Final = 60.0


def run(options: argparse.Namespace) -> int:
    """Run `hems enrol`; returns the exit code."""
    wait_s = units.duration_s(options.wait)
    if (options.certificate is None) != (options.key is None):
        return fail("--certificate and --key go together")
    maker = None if options.key is None else IdentityFiles(options.certificate, options.key)
    code = sys.stdin.readline() if options.code == "-" else options.code
    try:
        legible(code)
        editor = Editor(prepared(place_of(options)))
        return asyncio.run(_enrol(editor, code, maker, wait_s, options.pin or ""))
    except WaitError as error:
        return fail(f"{error}; give the same code again later, it stays good")
    except (EnrolmentError, CertificateError, ConfigError) as error:
        return fail(str(error))


async def _enrol(
    editor: Editor, code: str, maker: IdentityFiles | None, wait_s: float, pin: str
) -> int:
    until, told = time.monotonic() + wait_s, False
    while True:
        try:
            mistakes = await enrol_by_code(editor, code, time.time, maker, pin)
            break
        except WaitError as error:
            left_s = until - time.monotonic()
            if left_s <= 0.0:
                raise
            if not told:
                told = True
                print(f"this hub's PIN, for the utility: {_pin(editor)}")
            print(f"{error}; asking again", flush=True)
            await asyncio.sleep(min(max(1.0, error.again_s), left_s, _LONGEST_STEP_S))
    if mistakes:
        return fail("; ".join(each.said for each in mistakes))
    _tell(editor.config)
    return 0


def _pin(editor: Editor) -> str:
    return KeyRing(editor.path.parent.absolute()).pin()


def _tell(config: Config) -> None:
    utility = config.utility[0]
    certificate = read_certificates(utility.certificate)[0]
    print(f"enrolled: LFDI {lfdi(der(certificate))}, PIN {utility.pin}")
    print(f"server: {utility.url or 'the one found on the network'}")
    print(f"the certificate holds until {certificate.not_valid_after_utc:%Y-%m-%d}")
