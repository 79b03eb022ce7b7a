"""The utility shows another certificate while an event runs: its next one, or a stranger's."""

import asyncio
import os
import shutil
import signal
import ssl
import time

import pytest

from certs.identity import IdentityFiles
from certs.pki import issue_service, open_pki
from tests.machines import needs_namespaces
from tests.netfaults.conftest import LIMIT_W, Line
from tests.netfaults.town import NAME, UTILITY
from tests.waiting import until

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.requirement("L2-KEYS", "LC-TEST"),
    pytest.mark.deep,
    pytest.mark.timeout(900),
    needs_namespaces,
]


def _shown(line: Line) -> bytes:
    """Return the certificate that the utility shows now."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    hub = open_pki(line.rig.stage.folder / "pki").identity("hub")
    context.load_cert_chain(hub.certificate, hub.key)
    with line.town.grid.socket(2, 1) as plain:
        plain.settimeout(10)
        plain.connect((UTILITY, line.rig.stage.port))
        with context.wrap_socket(plain) as secured:
            return secured.getpeercert(binary_form=True) or b""


async def _changed(line: Line, identity: IdentityFiles) -> None:
    """Put a certificate in the place of the utility's, and have its server read it."""
    own = open_pki(line.rig.stage.folder / "pki").identity("utility")
    shutil.copy(identity.certificate, own.certificate)
    shutil.copy(identity.key, own.key)
    wanted = ssl.PEM_cert_to_DER_cert(
        identity.certificate.read_text(encoding="utf-8").partition("-----END")[0]
        + "-----END CERTIFICATE-----\n"
    )
    os.kill(line.rig.stage.headend.pid, signal.SIGHUP)

    async def seen() -> bool:
        return _shown(line) == wanted

    await until(seen, bool, 30.0, "the utility shows its other certificate")
    line.town.new_flows()


async def test_the_next_certificate_of_the_utility_is_taken(line: Line) -> None:
    """One more session, with the PIN checked; the event goes on and is answered once."""
    event = await line.event(90)
    await line.runs(event)
    pki = open_pki(line.rig.stage.folder / "pki")
    await _changed(line, issue_service(pki, "next", hosts=[NAME, UTILITY]))
    await line.link("connected")
    await line.runs(event)
    await line.rig.cancel(event.id)
    await line.answered(event, [1, 2, 6])


async def test_a_certificate_of_a_stranger_is_refused_and_the_event_goes_on(line: Line) -> None:
    """What is owed to the utility, that the event is over, waits for the right one."""
    stranger = line.inn.identity("utility")
    event = await line.event(60)
    await line.runs(event)
    with line.town.inn(stranger.certificate, stranger.key) as portal:
        while time.time() < event.start + event.duration_s - 3:
            home = await line.rig.home()
            card = home.card(event.id)
            assert card is not None
            assert card.state == "running"
            assert (home.net_w or 1e9) <= LIMIT_W + 100
            await asyncio.sleep(0.5)
        await line.link("refused", "a CA that is not trusted")
        assert await line.rig.statuses(event.id) == [1, 2]
    assert not portal.said
    await line.link("connected")
    await line.answered(event, [1, 2, 3])
