"""Renewed certificates reach contexts that are in use; bad ones do not, and are said once."""

import ssl
from pathlib import Path

import pytest

from certs.identity import IdentityFiles, Trust, lfdi
from certs.pem import der, read_certificates, write_certificates
from certs.pki import Pki, init_pki, issue_device, revoke
from certs.renewal import CertificateWatch
from certs.tls import client_context, server_context
from certs.verify import peer_lfdi
from tests.certs.test_resumption import echoing, resumed

pytestmark = [pytest.mark.requirement("L2-KEYS"), pytest.mark.requirement("L1-AUTH")]


class Told:
    """What a watch said."""

    def __init__(self, identity: IdentityFiles, trust: Trust) -> None:
        self.lfdis: list[str] = []
        self.alarms: list[str] = []
        self.watch = CertificateWatch(
            identity, trust, on_identity=self.lfdis.append, alarm=self.alarms.append
        )


def own(files: IdentityFiles) -> str:
    return lfdi(der(read_certificates(files.certificate)[0]))


def put(files: IdentityFiles, source: IdentityFiles) -> None:
    files.certificate.write_bytes(source.certificate.read_bytes())
    files.key.write_bytes(source.key.read_bytes())


async def test_a_new_certificate_is_shown_on_both_sides(pki: Pki) -> None:
    """Of the hub: as a client, and as the server that listens to notifications."""
    files, other = issue_device(pki, "first"), issue_device(pki, "second")
    told = Told(files, pki.trust)
    client = told.watch.cover(client_context(files, pki.trust))
    listener = told.watch.cover(server_context(files, pki.trust))
    utility = server_context(pki.identity("utility"), pki.trust)
    shown: list[str] = []
    plain = utility.sslobject_class

    class Noting(plain):  # type: ignore[misc, valid-type]
        def do_handshake(self) -> None:
            super().do_handshake()
            shown.append(peer_lfdi(self))

    class Seeing(plain):  # type: ignore[misc, valid-type]
        def do_handshake(self) -> None:
            super().do_handshake()
            shown.append(peer_lfdi(self))

    utility.sslobject_class = Noting
    caller = client_context(pki.identity("utility"), pki.trust)
    caller.sslobject_class = Seeing
    async with echoing(utility) as up, echoing(listener) as down:
        for _ in range(2):
            await resumed(up, client)
            await resumed(down, caller)
            put(files, other)
            told.watch.refresh()
            caller.sessions.forget()
    assert shown == [shown[0]] * 2 + [own(other)] * 2
    assert shown[0] != own(other)
    assert told.lfdis == [own(other)]
    assert told.alarms == []


def test_files_that_did_not_change_are_not_read(pki: Pki) -> None:
    files = pki.identity("hub")
    told = Told(files, pki.trust)
    context = told.watch.cover(client_context(files, pki.trust))
    rules = context.rules
    told.watch.refresh()
    assert context.rules is rules
    assert context.renewals == 0
    assert told.lfdis == []


def test_half_of_a_change_is_waited_for(pki: Pki) -> None:
    files, other = issue_device(pki, "first"), issue_device(pki, "second")
    told = Told(files, pki.trust)
    context = told.watch.cover(client_context(files, pki.trust))
    files.certificate.write_bytes(other.certificate.read_bytes())
    told.watch.refresh()
    assert (told.alarms, told.lfdis, context.renewals) == ([], [], 0)
    files.key.write_bytes(other.key.read_bytes())
    told.watch.refresh()
    assert (told.alarms, told.lfdis, context.renewals) == ([], [own(other)], 1)


@pytest.mark.parametrize("which", ["certificate", "key", "roots"])
async def test_a_broken_file_keeps_the_old_one_and_is_said_once(pki: Pki, which: str) -> None:
    files = issue_device(pki, "first")
    told = Told(files, pki.trust)
    client = told.watch.cover(client_context(files, pki.trust))
    paths = {"certificate": files.certificate, "key": files.key, "roots": pki.trust.roots}
    good = paths[which].read_bytes()
    paths[which].write_text("garbage")
    for _ in range(4):
        told.watch.refresh()
    assert len(told.alarms) == 1
    assert "stay as they were" in told.alarms[0]
    assert str(paths[which]) in told.alarms[0]
    paths[which].unlink()
    for _ in range(3):
        told.watch.refresh()
    assert len(told.alarms) == 2
    assert "does not exist" in told.alarms[1]
    write(paths[which], good)
    told.watch.refresh()
    assert len(told.alarms) == 2
    async with echoing(server_context(pki.identity("utility"), pki.trust)) as port:
        assert not await resumed(port, client)


def write(path: Path, content: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(content)


async def test_renewed_roots_reach_contexts_in_use(pki: Pki) -> None:
    other = init_pki(pki.folder.parent / "other")
    told = Told(pki.identity("hub"), pki.trust)
    client = told.watch.cover(client_context(pki.identity("hub"), pki.trust))
    async with echoing(server_context(pki.identity("utility"), pki.trust)) as port:
        await resumed(port, client)
        write_certificates(pki.trust.roots, read_certificates(other.trust.roots))
        told.watch.refresh()
        with pytest.raises(ssl.SSLCertVerificationError, match="not trusted any more"):
            await resumed(port, client)


async def test_new_revocation_lists_are_followed_as_well(pki: Pki) -> None:
    told = Told(pki.identity("hub"), pki.trust)
    client = told.watch.cover(client_context(pki.identity("hub"), pki.trust))
    async with echoing(server_context(pki.identity("utility"), pki.trust)) as port:
        await resumed(port, client)
        revoke(pki, read_certificates(pki.identity("utility").certificate)[0])
        told.watch.refresh()
        with pytest.raises(ssl.SSLCertVerificationError, match="revoked"):
            await resumed(port, client)
