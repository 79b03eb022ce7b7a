"""New revocation lists reach contexts that are in use, and connections that are open."""

import asyncio
import gc
import logging
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from certs.errors import PeerError
from certs.pem import read_certificates
from certs.pki import Pki, init_pki, issue_device, renew_crls, revoke
from certs.revocation import REFRESH_S, RevocationWatch
from certs.tls import client_context, server_context

pytestmark = [pytest.mark.requirement("L2-KEYS"), pytest.mark.requirement("L1-AUTH")]
WAIT_S = 10.0


@dataclass(frozen=True)
class Line:
    """An open connection over which each line comes back.

    Attributes:
        reader: The client's ear.
        writer: The client's mouth.
        served: How many lines the server has read, one item each.
    """

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    served: asyncio.Queue[bytes]

    async def say(self) -> bytes:
        """Say a line and return what comes back; empty at the end."""
        self.writer.write(b"hello\n")
        return await asyncio.wait_for(self.reader.readline(), WAIT_S)


@asynccontextmanager
async def line(server: ssl.SSLContext, client: ssl.SSLContext) -> AsyncIterator[Line]:
    served: asyncio.Queue[bytes] = asyncio.Queue()
    done = asyncio.Event()

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while got := await reader.readline():
                served.put_nowait(got)
                writer.write(got)
        except OSError:
            pass  # the connection was ended on either side
        finally:
            writer.close()
            done.set()

    listener = await asyncio.start_server(echo, "127.0.0.1", 0, ssl=server)
    async with listener:
        port = listener.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=client)
        try:
            yield Line(reader, writer, served)
        finally:
            writer.close()
            await asyncio.wait_for(done.wait(), WAIT_S)


async def test_a_client_that_is_revoked_meanwhile_is_heard_no_more(
    pki: Pki, caplog: pytest.LogCaptureFixture
) -> None:
    identity = issue_device(pki, "gone")
    watch = RevocationWatch(pki.trust.crls)
    server = watch.cover(server_context(pki.identity("utility"), pki.trust))
    async with line(server, client_context(identity, pki.trust)) as open_line:
        assert await open_line.say() == b"hello\n"
        renew_crls(pki)
        watch.refresh()
        assert await open_line.say() == b"hello\n"  # other lists, but not on them
        revoke(pki, read_certificates(identity.certificate)[0])
        watch.refresh()
        with (
            caplog.at_level(logging.WARNING, logger="certs.tls"),
            suppress(ConnectionResetError),
        ):
            assert await open_line.say() == b""
        assert open_line.served.qsize() == 2
    assert "an open TLS connection ends: the certificate of LFDI" in caplog.text
    assert "is revoked" in caplog.text


async def test_a_server_that_is_revoked_meanwhile_is_told_no_more(pki: Pki) -> None:
    watch = RevocationWatch(pki.trust.crls)
    server = server_context(pki.identity("utility"), pki.trust)
    client = watch.cover(client_context(pki.identity("hub"), pki.trust))
    async with line(server, client) as open_line:
        assert await open_line.say() == b"hello\n"
        revoke(pki, read_certificates(pki.identity("utility").certificate)[0])
        watch.refresh()
        with pytest.raises(PeerError, match="is revoked"):
            await open_line.say()
        assert open_line.served.qsize() == 1


def test_blocking_sockets_are_held_to_the_same(pki: Pki) -> None:
    """Handed to and fro on a socket pair, without threads."""
    identity = issue_device(pki, "blocking")
    server = server_context(pki.identity("utility"), pki.trust)
    client = client_context(identity, pki.trust)
    near_end, far_end = _pair()
    with (
        client.wrap_socket(near_end, do_handshake_on_connect=False) as near,
        server.wrap_socket(far_end, server_side=True, do_handshake_on_connect=False) as far,
    ):
        _drive(near.do_handshake, far.do_handshake)
        near.send(b"one")
        assert far.recv(9) == b"one"
        revoke(pki, read_certificates(identity.certificate)[0])
        server.reload_crls()
        near.send(b"two")
        with pytest.raises(PeerError, match="is revoked"):
            far.recv(9)
        with pytest.raises(PeerError, match="is revoked"):
            far.send(b"three")


def _pair() -> tuple[socket.socket, socket.socket]:
    ends = socket.socketpair()
    for end in ends:
        end.setblocking(False)
    return ends


def _drive(*steps: Callable[[], object]) -> None:
    waiting = list(steps)
    while waiting:
        for step in list(waiting):
            try:
                step()
            except ssl.SSLWantReadError:
                continue
            waiting.remove(step)


def test_overdue_lists_that_are_renewed_let_peers_in_again(tmp_path: Path) -> None:
    pki = init_pki(tmp_path / "old", now=datetime.now(UTC) - timedelta(days=400))
    watch = RevocationWatch(pki.trust.crls)
    context = watch.cover(server_context(pki.identity("utility"), pki.trust))
    assert max(crl.next_update_utc or datetime.now(UTC) for crl in context.crls) < datetime.now(UTC)
    renew_crls(pki)
    watch.refresh()
    assert min(crl.next_update_utc or datetime.now(UTC) for crl in context.crls) > datetime.now(UTC)


def test_a_damaged_file_leaves_the_lists_in_force_and_is_said_once(
    pki: Pki, caplog: pytest.LogCaptureFixture
) -> None:
    watch = RevocationWatch(pki.trust.crls)
    context = watch.cover(server_context(pki.identity("utility"), pki.trust))
    before, good = context.crls, pki.trust.crls.read_bytes()
    pki.trust.crls.write_text("garbage")
    for _ in range(3):
        watch.refresh()
    pki.trust.crls.unlink()
    watch.refresh()
    assert context.crls is before
    said = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert len(said) == 2
    assert "no PEM revocation list" in said[0]
    assert "does not exist" in said[1]
    pki.trust.crls.write_bytes(good)
    watch.refresh()
    assert context.crls is not before


def test_only_a_changed_file_is_read(pki: Pki) -> None:
    watch = RevocationWatch(pki.trust.crls)
    context = watch.cover(server_context(pki.identity("utility"), pki.trust))
    before = context.crls
    watch.refresh()
    assert context.crls is before


def test_contexts_out_of_use_are_let_go(pki: Pki) -> None:
    watch = RevocationWatch(pki.trust.crls)
    for _ in range(3):
        watch.cover(client_context(pki.identity("hub"), pki.trust))
    gc.collect()
    assert len(watch._contexts) == 0


def test_new_lists_hold_within_a_minute() -> None:
    assert REFRESH_S <= 60.0
