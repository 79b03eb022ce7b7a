"""Handshakes on real sockets, judged by a time that is not the machine's."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from certs import instants
from certs.issue import FOREVER, Validity
from certs.pki import Pki, issue_device
from certs.tls import client_context, server_context
from tests.certs.test_handshake import connect

pytestmark = [pytest.mark.requirement("TIME-SERVER"), pytest.mark.requirement("L2-KEYS")]

AHEAD_S = 7_200.0
"""The machine is so far behind what the hub believes."""
ROWS = {
    "good now, over by then": (-1.0, 1.0, True, "has expired"),
    "good by then, not yet now": (1.0, None, True, ""),
    "good later, and it may be later": (3.0, None, False, ""),
    "good later, and it is not later": (3.0, None, True, "is not yet valid"),
    "over, and it may be later still": (-1.0, 1.0, False, "has expired"),
    "good all the time": (-1.0, None, False, ""),
}


@pytest.fixture
def ahead() -> Iterator[None]:
    """Have nobody else judged by what a test believes."""
    yield
    instants.go_by_machine()


@pytest.mark.usefixtures("ahead")
@pytest.mark.parametrize("row", ROWS)
async def test_who_is_believed_while_the_machine_is_behind(pki: Pki, row: str) -> None:
    begins_h, ends_h, known, refused = ROWS[row]
    now = datetime.now(UTC)
    ends = FOREVER if ends_h is None else now + timedelta(hours=ends_h)
    name = f"of-{'-'.join(row.replace(',', '').split())}"
    identity = issue_device(pki, name, validity=Validity(now + timedelta(hours=begins_h), ends))
    server = server_context(identity, pki.trust)
    client = client_context(pki.identity("hub"), pki.trust)
    instants.go_by(lambda: time.time() + AHEAD_S, lambda: known)
    outcome = await connect(server, client)
    if refused:
        assert refused in str(outcome.error)
        assert outcome.echoed == b""
    else:
        assert outcome.error is None
        assert outcome.echoed == b"hello\n"
