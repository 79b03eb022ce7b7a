"""TLS over real sockets with a key that OpenSSL does not have."""

import asyncio
import shutil
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from certs.errors import CertificateError, UnsignedError
from certs.explain import explain
from certs.identity import IdentityFiles
from certs.issue import new_key
from certs.keys import inplace
from certs.keys.backend import Held
from certs.keys.errors import KeyStoreError
from certs.keys.opening import Kind
from certs.pem import write_key
from certs.pki import Pki, init_pki
from certs.renewal import CertificateWatch
from certs.tls import client_context, server_context
from tests.certs.keys.conftest import EVERY, HARDWARE, STORES, Kept
from tests.certs.keys.hardware import SoftTpm, needs_swtpm
from tests.certs.keys.identities import enrolled

pytestmark = pytest.mark.requirement("L1-AGENT", "L2-KEYS", "L1-AUTH")

TPM = [pytest.param(Kind.TPM, marks=needs_swtpm)]


@pytest.fixture
def pki(tmp_path: Path) -> Pki:
    return init_pki(tmp_path / "pki")


@asynccontextmanager
async def echoing(context: ssl.SSLContext) -> AsyncIterator[int]:
    """Serve lines back; gives the port."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(await reader.readline())
            await writer.drain()
        except OSError:
            pass  # the client saw it too, and tells
        finally:
            writer.close()

    listener = await asyncio.start_server(echo, "127.0.0.1", 0, ssl=context)
    async with listener, asyncio.timeout(60):
        yield listener.sockets[0].getsockname()[1]


async def talk(port: int, context: ssl.SSLContext) -> tuple[bytes, str]:
    """Return what came back, and by which version."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    try:
        writer.write(b"hello\n")
        await writer.drain()
        connection: ssl.SSLObject = writer.get_extra_info("ssl_object")
        return await reader.readline(), connection.version() or ""
    finally:
        writer.close()


@pytest.mark.parametrize("kept", EVERY, indirect=True)
@pytest.mark.parametrize("tls13", [False, True])
async def test_the_hub_calls_its_utility(pki: Pki, kept: Kept, *, tls13: bool) -> None:
    server = server_context(pki.identity("utility"), pki.trust, tls13=tls13)
    client = client_context(enrolled(pki, kept), pki.trust, tls13=tls13)
    async with echoing(server) as port:
        version = "TLSv1.3" if tls13 else "TLSv1.2"
        assert await talk(port, client) == (b"hello\n", version)


@pytest.mark.parametrize("kept", EVERY, indirect=True)
@pytest.mark.parametrize("tls13", [False, True])
async def test_the_utility_calls_the_hub(pki: Pki, kept: Kept, *, tls13: bool) -> None:
    server = server_context(enrolled(pki, kept), pki.trust, tls13=tls13)
    client = client_context(pki.identity("utility"), pki.trust, tls13=tls13)
    async with echoing(server) as port:
        assert (await talk(port, client))[0] == b"hello\n"


@pytest.mark.parametrize("kept", STORES, indirect=True)
async def test_both_ends_in_one_process_and_many_at_once(pki: Pki, kept: Kept) -> None:
    """Keys that OpenSSL has go on as before beside those that it has not."""
    mine = enrolled(pki, kept)
    plain = pki.identity("utility")
    async with (
        echoing(server_context(mine, pki.trust)) as stored,
        echoing(server_context(plain, pki.trust)) as ordinary,
    ):
        calls = [
            talk(port, client_context(who, pki.trust))
            for who in (mine, plain)
            for port in (stored, ordinary)
            for _ in range(4)
        ]
        assert {line for line, _ in await asyncio.gather(*calls)} == {b"hello\n"}


@pytest.mark.parametrize("kept", STORES, indirect=True)
async def test_a_key_that_was_moved_in_goes_on_under_the_same_certificate(
    pki: Pki, kept: Kept
) -> None:
    """As a home changes over while it runs: the files are followed."""
    plain = pki.identity("hub")
    files = IdentityFiles(kept.folder / "hub.pem", kept.path, kept.store)
    shutil.copy(plain.certificate, files.certificate)
    shutil.copy(plain.key, files.key)
    told: list[str] = []
    watch = CertificateWatch(files, pki.trust, on_identity=told.append, alarm=told.append)
    client = watch.cover(client_context(files, pki.trust))
    async with echoing(server_context(pki.identity("utility"), pki.trust)) as port:
        assert (await talk(port, client))[0] == b"hello\n"
        assert kept.store.move(kept.path)
        watch.refresh()
        assert told == []  # the certificate, and with it the LFDI, is the same
        assert client.renewals == 1
        assert (await talk(port, client))[0] == b"hello\n"


@pytest.mark.parametrize("kept", STORES, indirect=True)
def test_a_certificate_of_another_key_is_refused(pki: Pki, kept: Kept) -> None:
    files = enrolled(pki, kept)
    other = IdentityFiles(files.certificate, kept.folder / "other.key", kept.store)
    kept.store.make(other.key)
    with pytest.raises(CertificateError, match="does not belong"):
        client_context(
            IdentityFiles(files.certificate, kept.folder / "other.key", kept.store), pki.trust
        )


@pytest.mark.parametrize("kept", STORES, indirect=True)
async def test_what_is_erased_signs_no_more_in_contexts_that_are_open(pki: Pki, kept: Kept) -> None:
    client = client_context(enrolled(pki, kept), pki.trust)
    async with echoing(server_context(pki.identity("utility"), pki.trust)) as port:
        assert (await talk(port, client))[0] == b"hello\n"
        client.sessions.forget()
        kept.store.erase(kept.path)
        with pytest.raises(ssl.SSLError):
            await talk(port, client)


@pytest.mark.parametrize("kept", STORES, indirect=True)
def test_nothing_of_a_key_is_left_in_this_process_s_files(kept: Kept) -> None:
    """What OpenSSL is given is a stub, in memory, and closed again."""
    write_key(kept.path, key := new_key())
    kept.store.move(kept.path)
    before = set(Path("/proc/self/fd").iterdir())
    with kept.store.tls(kept.path) as given:
        content = given.path.read_bytes()
        assert str(given.path).startswith("/proc/self/fd/")
    raw = key.private_numbers().private_value.to_bytes(32, "big")
    assert raw not in ssl.PEM_cert_to_DER_cert(
        content.decode().replace("EC PRIVATE KEY", "CERTIFICATE")
    )
    assert set(Path("/proc/self/fd").iterdir()) == before


@pytest.mark.parametrize("kept", TPM, indirect=True)
async def test_a_tpm_that_is_away_at_the_start_is_used_once_it_is_there(
    pki: Pki, kept: Kept, tpm: SoftTpm
) -> None:
    files = enrolled(pki, kept)
    tpm.stop()
    client = client_context(files, pki.trust)  # so the home starts, and is controlled
    async with echoing(server_context(pki.identity("utility"), pki.trust)) as port:
        with pytest.raises(ssl.SSLError):
            await talk(port, client)
        with pytest.raises(KeyStoreError, match=r"the TPM .* cannot be used"):
            kept.store.check([kept.path])
        tpm.start()
        kept.store.check([kept.path])
        assert (await talk(port, client))[0] == b"hello\n"


@pytest.mark.parametrize("kept", TPM, indirect=True)
async def test_a_tpm_that_is_lost_ends_no_connection_that_is_open(
    pki: Pki, kept: Kept, tpm: SoftTpm
) -> None:
    client = client_context(enrolled(pki, kept), pki.trust)
    async with echoing(server_context(pki.identity("utility"), pki.trust)) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=client)
        tpm.stop()
        writer.write(b"still here\n")
        assert await reader.readline() == b"still here\n"
        writer.close()
        client.sessions.forget()
        for _ in range(3):  # and no matter how often it is tried, it is one clear failure each
            with pytest.raises(UnsignedError) as caught:
                await talk(port, client)
            assert explain(caught.value).startswith(f"the TPM ({tpm.tcti}) cannot be used")
        tpm.start()
        assert (await talk(port, client))[0] == b"hello\n"


@pytest.mark.parametrize("kept", TPM, indirect=True)
async def test_a_tpm_that_hangs_holds_the_loop_up_once_and_briefly(
    pki: Pki, kept: Kept, tpm: SoftTpm
) -> None:
    """The control cycle runs on the same loop: it may slip once, never stand."""
    client = client_context(enrolled(pki, kept), pki.trust)
    async with echoing(server_context(pki.identity("utility"), pki.trust)) as port:
        tpm.hang()
        try:
            waited = []
            for _ in range(3):
                began = time.monotonic()
                with pytest.raises(UnsignedError, match="does not answer"):
                    await talk(port, client)
                waited.append(time.monotonic() - began)
            # The first waits for the TPM as long as it may; the others do not wait at all.
            assert min(waited[1:]) < waited[0]
        finally:
            tpm.go_on()
        await until_it_answers(kept)
        assert (await talk(port, client))[0] == b"hello\n"


async def until_it_answers(kept: Kept) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            kept.store.check([kept.path])
        except KeyStoreError:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)
        else:
            return


@pytest.mark.parametrize("kept", HARDWARE, indirect=True)
def test_hardware_never_gives_a_private_key_away(kept: Kept) -> None:
    kept.store.make(kept.path)
    with kept.store.tls(kept.path) as given:
        assert given.password is None
    assert kept.store.held(kept.path) in {Held.TOKEN, Held.TPM}


@pytest.mark.parametrize(
    ("digest", "taken"),
    [
        (b"\x01" * 32, b"\x01" * 32),
        (b"\x01" * 32 + b"\x02" * 32, b"\x01" * 32),
        (b"\x01" * 20, bytes(12) + b"\x01" * 20),
        (b"", bytes(32)),
    ],
)
def test_digests_are_cut_as_ecdsa_has_it(digest: bytes, taken: bytes) -> None:
    assert inplace.fitted(digest) == taken
