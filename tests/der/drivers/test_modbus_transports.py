"""Modbus over RTU framing and over TLS, and several units behind one gateway."""

import asyncio
import hashlib
import random
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.framer import FramerType
from pymodbus.server import ModbusTcpServer, ModbusTlsServer
from pymodbus.simulator import DataType, SimData, SimDevice

from der.addresses import ModbusAddress, TlsFiles, Transport
from der.drivers.modbus.connection import ModbusConnection
from der.drivers.modbus.framing import (
    MbapFraming,
    NotModbusError,
    RegistersResponse,
    RtuFraming,
)
from der.drivers.modbus.pool import ModbusPool
from der.errors import PermanentError, TransientError
from tests.der.drivers.device_pki import Root, server_context
from tests.der.drivers.gateway import (
    Behaviour,
    Gateway,
    broken,
    counts,
    holds,
    rtu,
    serve_gateway,
    silent,
)
from tests.waiting import until

pytestmark = pytest.mark.requirement("PRO-IP")

FRAMED = [Transport.TCP, Transport.RTU_OVER_TCP]


@asynccontextmanager
async def pymodbus_serves(
    transport: Transport, context: ssl.SSLContext | None = None
) -> AsyncIterator[ModbusAddress]:
    """Run pymodbus's own server with units 1 and 7 of 200 registers each."""
    units = [
        SimDevice(
            n,
            [SimData(0, values=list(range(1000 * n, 1000 * n + 200)), datatype=DataType.REGISTERS)],
        )
        for n in (1, 7)
    ]
    if transport is Transport.TLS:
        server: ModbusTcpServer = ModbusTlsServer(units, address=("127.0.0.1", 0), sslctx=context)
    else:
        framer = FramerType.RTU if transport is Transport.RTU_OVER_TCP else FramerType.SOCKET
        server = ModbusTcpServer(units, address=("127.0.0.1", 0), framer=framer)
    await server.serve_forever(background=True)
    listener = server.transport
    assert isinstance(listener, asyncio.Server)
    port = listener.sockets[0].getsockname()[1]
    try:
        yield ModbusAddress("127.0.0.1", port, transport=transport)
    finally:
        server.close()


@pytest.mark.parametrize("transport", FRAMED)
async def test_another_makers_server_is_read_and_written(transport: Transport) -> None:
    async with pymodbus_serves(transport) as address:
        pool = ModbusPool()
        one = await ModbusConnection.open("one", address, pool)
        seven = await ModbusConnection.open("seven", replace(address, unit=7), pool)
        assert await one.read_holding(0, 150, "all") == tuple(range(1000, 1150))
        await seven.write_holding(3, [5, 6], "pair")
        await seven.write_register(7, 99, "single")
        assert await seven.read_holding(2, 6, "some") == (7002, 5, 6, 7005, 7006, 99)
        with pytest.raises(PermanentError, match="exception 2"):
            await one.read_holding(5000, 1, "nowhere")
        assert await one.read_holding(0, 1, "first") == (1000,)
        await pool.stop()
        with pytest.raises(TransientError, match="stopping"):
            await one.read_holding(0, 1, "first")


# TLS


@pytest.fixture
def root(tmp_path: Path) -> Root:
    return Root(tmp_path)


def tls(address: ModbusAddress, root: Root, **files: Path | str) -> ModbusAddress:
    return replace(address, tls=TlsFiles(root.file, **files))  # type: ignore[arg-type]


@pytest.mark.requirement("LC-TEST")
async def test_mutual_tls(root: Root) -> None:
    ours = root.issue("hub.local")
    context = server_context(root.issue("127.0.0.1"), root)
    async with pymodbus_serves(Transport.TLS, context) as plain:
        address = tls(plain, root, certificate=ours.certificate, key=ours.key)
        connection = await ModbusConnection.open("pv", address)
        assert await connection.read_holding(0, 130, "all") == tuple(range(1000, 1130))
        connection.close()


async def test_a_device_may_have_another_name_than_its_host(root: Root) -> None:
    context = server_context(root.issue("inverter.local"), None)
    async with pymodbus_serves(Transport.TLS, context) as plain:
        connection = await ModbusConnection.open("pv", tls(plain, root, name="inverter.local"))
        assert await connection.read_holding(0, 1, "first") == (1000,)
        connection.close()
        with pytest.raises(
            PermanentError,
            match=r"^pv: no Modbus connection to .*: certificate refused: .*mismatch",
        ):
            await ModbusConnection.open("pv", tls(plain, root))


async def test_an_expired_certificate_is_refused(root: Root) -> None:
    context = server_context(root.issue("127.0.0.1", valid=False), None)
    async with pymodbus_serves(Transport.TLS, context) as plain:
        with pytest.raises(PermanentError, match=r"^pv: .* certificate refused: .*expired"):
            await ModbusConnection.open("pv", tls(plain, root))


async def test_a_stranger_is_refused(root: Root, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    stranger = Root(tmp_path / "other", "stranger")
    context = server_context(stranger.issue("127.0.0.1"), None)
    async with pymodbus_serves(Transport.TLS, context) as plain:
        with pytest.raises(PermanentError, match=r"^pv: .* certificate refused: unable to get"):
            await ModbusConnection.open("pv", tls(plain, root))


async def test_a_device_that_wants_our_certificate_says_so(root: Root) -> None:
    context = server_context(root.issue("127.0.0.1"), root)
    async with pymodbus_serves(Transport.TLS, context) as plain:

        async def asked() -> None:
            # With TLS 1.3 the device looks at our certificate after our side is done.
            connection = await ModbusConnection.open("pv", tls(plain, root))
            await connection.read_holding(0, 1, "first")

        with pytest.raises((PermanentError, TransientError), match=r"^pv: .*certificate"):
            await asked()


async def test_old_tls_is_not_spoken(root: Root) -> None:
    context = server_context(root.issue("127.0.0.1"), None)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1 is deprecated"):
        context.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="TLSv1_1 is deprecated"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    async with pymodbus_serves(Transport.TLS, context) as plain:
        with pytest.raises((PermanentError, TransientError), match=r"^pv: .*: TLS: "):
            await ModbusConnection.open("pv", tls(plain, root))


async def test_a_plain_device_behind_a_tls_address(root: Root) -> None:
    async with pymodbus_serves(Transport.TCP) as plain:
        address = replace(tls(plain, root), transport=Transport.TLS, timeout_s=0.3)
        with pytest.raises((PermanentError, TransientError), match=r"^pv: no Modbus connection"):
            await ModbusConnection.open("pv", address)


async def test_files_that_are_wrong(root: Root, tmp_path: Path) -> None:
    nowhere = ModbusAddress("127.0.0.1", 1, transport=Transport.TLS)
    with pytest.raises(PermanentError, match=r"^pv: .*: transport tls needs tls_trust"):
        await ModbusConnection.open("pv", nowhere)
    missing = replace(nowhere, tls=TlsFiles(tmp_path / "no.pem"))
    with pytest.raises(PermanentError, match=r"^pv: .*: tls_trust .*no\.pem: No such file"):
        await ModbusConnection.open("pv", missing)
    text = tmp_path / "text.pem"
    text.write_text("no certificate")
    with pytest.raises(PermanentError, match=r"^pv: .*: tls_trust .*text\.pem: TLS: "):
        await ModbusConnection.open("pv", replace(nowhere, tls=TlsFiles(text)))
    ours = root.issue("hub.local")
    swapped = TlsFiles(root.file, ours.certificate, root.issue("else.local").key)
    with pytest.raises(PermanentError, match=r"^pv: .*: tls_certificate .*mismatch"):
        await ModbusConnection.open("pv", replace(nowhere, tls=swapped))


# Gateways


@asynccontextmanager
async def two_units(
    behaviour: dict[int, Behaviour], transport: Transport
) -> AsyncIterator[tuple[ModbusConnection, ModbusConnection, Gateway]]:
    async with serve_gateway(behaviour, transport) as gateway:
        pool = ModbusPool()
        first = await ModbusConnection.open("first", gateway.address, pool)
        second = await ModbusConnection.open("second", replace(gateway.address, unit=2), pool)
        yield first, second, gateway
        await pool.stop()


@pytest.mark.parametrize("transport", FRAMED)
async def test_units_share_the_one_connection_that_a_gateway_accepts(transport: Transport) -> None:
    async with two_units({1: holds(11), 2: holds(22)}, transport) as (first, second, gateway):
        answers = await asyncio.gather(
            *(unit.read_holding(n, 2, "n") for n in range(20) for unit in (first, second))
        )
        assert answers == [(11, 11), (22, 22)] * 20
        assert gateway.connections == 1
        assert gateway.asked == [1, 2] * 20, "they take turns"
        first.close()
        assert await second.read_holding(0, 1, "n") == (22,)
        second.close()
        await until(gateway.standing, lambda now: now == 0, 5, "nobody uses it")


@pytest.mark.parametrize("transport", FRAMED)
@pytest.mark.requirement("LC-TEST")
async def test_a_silent_unit_does_not_end_the_others(transport: Transport) -> None:
    async with two_units({1: silent, 2: holds(22)}, transport) as (first, second, gateway):
        lost, well = await asyncio.gather(
            first.read_holding(0, 1, "power"),
            second.read_holding(0, 1, "power"),
            return_exceptions=True,
        )
        assert well == (22,)
        assert isinstance(lost, TransientError)
        assert "first: power at" in str(lost)
        assert "no answer within 0.3 s" in str(lost)
        with pytest.raises(TransientError, match="no answer"):
            await first.read_holding(0, 1, "power")
        assert await second.read_holding(0, 1, "power") == (22,)
        # Where answers carry no number, a late one could be taken for another's: it is cut off.
        assert gateway.connections == (1 if transport is Transport.TCP else 2)
        gateway.units[1] = holds(11)
        again = await ModbusConnection.open("first", gateway.address, first._pool)
        assert await again.read_holding(0, 1, "power") == (11,)


@pytest.mark.parametrize("transport", FRAMED)
async def test_garbage_of_one_unit_does_not_end_the_others(transport: Transport) -> None:
    async with two_units({1: broken, 2: holds(22)}, transport) as (first, second, _):
        with pytest.raises(TransientError, match=r"^first: power at .*not Modbus"):
            await first.read_holding(0, 1, "power")
        assert await second.read_holding(0, 1, "power") == (22,)


@pytest.mark.parametrize("transport", FRAMED)
async def test_a_gateway_that_hangs_up_ends_all(transport: Transport) -> None:
    async with two_units({1: holds(11), 2: holds(22)}, transport) as (first, second, gateway):
        assert await first.read_holding(0, 1, "power") == (11,)
        gateway.hang_up()
        for unit in (first, second):
            with pytest.raises(TransientError, match="closed the connection"):
                await asyncio.wait_for(_until_lost(unit), 5)


async def _until_lost(unit: ModbusConnection) -> None:
    while True:
        await unit.read_holding(0, 1, "power")


async def test_a_late_answer_is_nobodys() -> None:
    async with two_units({1: silent, 2: holds(22)}, Transport.TCP) as (first, second, gateway):
        with pytest.raises(TransientError, match="no answer"):
            await first.read_holding(0, 1, "power")
        # Unit 1's answer to request 1 comes while unit 1 is asked anew, then the right one.
        gateway.units[1] = lambda pdu: None if not pdu else holds(99)(pdu)
        await gateway.late(b"\0\x01\0\0\0\x05\x01\x03\x02\0\x0b")
        again = await ModbusConnection.open("first", gateway.address, first._pool)
        assert await again.read_holding(0, 1, "power") == (99,)
        assert await second.read_holding(0, 1, "power") == (22,)


async def test_answers_without_a_number_are_borne_until_one_may_be_late() -> None:
    async with two_units({1: holds(11), 2: holds(22)}, Transport.TCP) as (first, second, gateway):
        gateway.unnumbered = True
        assert await first.read_holding(0, 1, "power") == (11,)
        gateway.units[1] = silent
        with pytest.raises(TransientError, match="no answer"):
            await first.read_holding(0, 1, "power")
        # Its late answer could be taken for another's: so it has its connection cut off.
        assert await second.read_holding(0, 1, "power") == (22,)
        assert gateway.connections == 2


async def test_a_silent_unit_among_such_does_not_starve_the_others() -> None:
    async with serve_gateway({1: silent, 2: holds(22)}) as gateway:
        gateway.unnumbered = True
        pool = ModbusPool()
        read = 0
        for _ in range(3):
            first = await ModbusConnection.open("first", gateway.address, pool)
            second = await ModbusConnection.open("second", replace(gateway.address, unit=2), pool)
            for unit in (first, second):
                try:
                    read += (await unit.read_holding(0, 1, "power"))[0]
                except TransientError:
                    unit.close()
            second.close()
        assert read >= 2 * 22, "but for the first time, when nobody knew"
        await pool.stop()


async def test_nobody_there_is_found_out_once_for_all_who_wait() -> None:
    async with serve_gateway(dict.fromkeys(range(1, 9), silent)) as gateway:
        address = gateway.address
    pool = ModbusPool()
    failed = await asyncio.gather(
        *(ModbusConnection.open(f"u{n}", replace(address, unit=n), pool) for n in range(1, 9)),
        return_exceptions=True,
    )
    assert [str(error) for error in failed] == [
        f"u{n}: no Modbus connection to {replace(address, unit=n)}: Connection refused"
        for n in range(1, 9)
    ]


@pytest.mark.parametrize("transport", FRAMED)
@pytest.mark.parametrize("unnumbered", [False, True])
async def test_whoever_is_late_nobody_reads_what_is_not_his(
    transport: Transport, unnumbered: bool
) -> None:
    rng = random.Random(5)  # noqa: S311 - delays, not secrets
    units = {n: counts() for n in (1, 2, 3)}
    async with serve_gateway(units, transport, timeout_s=0.05) as gateway:
        gateway.unnumbered = unnumbered
        gateway.delay = lambda: rng.choice([0, 0, 0, 0.04, 0.06, 0.1])
        pool = ModbusPool()
        outcomes: list[bool] = []

        async def user(unit: int) -> None:
            address = replace(gateway.address, unit=unit)
            bus = await ModbusConnection.open(f"u{unit}", address, pool)
            for _ in range(40):
                before = gateway.asked.count(unit)
                try:
                    (said,) = await bus.read_holding(0, 1, "power")
                except TransientError:
                    outcomes.append(False)
                    bus = await ModbusConnection.open(f"u{unit}", address, pool)
                else:
                    outcomes.append(True)
                    assert said == before + 1, "the answer to this question, not to an earlier one"

        await asyncio.gather(*(user(unit) for unit in units))
        await pool.stop()
    assert {True, False} == set(outcomes)
    assert gateway.most == 1


async def test_waiting_for_ones_turn_in_vain_harms_nobody() -> None:
    async with two_units({1: silent, 2: holds(22)}, Transport.TCP) as (first, second, _):
        asking = asyncio.create_task(first.read_holding(0, 1, "power"))
        await asyncio.sleep(0)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await second.read_holding(0, 1, "power")
        with pytest.raises(TransientError, match="no answer"):
            await asking
        assert await second.read_holding(0, 1, "power") == (22,), "it had not even asked"


@pytest.mark.parametrize("transport", FRAMED)
async def test_closing_one_unit_ends_its_call_only(transport: Transport) -> None:
    async with two_units({1: silent, 2: holds(22)}, transport) as (first, second, _):
        asking = asyncio.create_task(first.read_holding(0, 1, "power"))
        waiting = asyncio.create_task(second.read_holding(0, 1, "power"))
        await asyncio.sleep(0.05)
        first.close()
        with pytest.raises(TransientError, match="connection is closed"):
            await asking
        assert await waiting == (22,)


# Framing

PDU = b"\x03\x04\x12\x34\x56\x78"
MBAP = b"\0\x07\0\0\0\x07\x05" + PDU


@pytest.mark.parametrize(("framing", "whole"), [(MbapFraming(), MBAP), (RtuFraming(), rtu(5, PDU))])
def test_frames_come_in_any_pieces(framing: MbapFraming | RtuFraming, whole: bytes) -> None:
    for end in range(len(whole)):
        assert framing.take(whole[:end]) is None
    taken = framing.take(whole + b"more")
    assert taken is not None
    assert (taken.size, taken.unit) == (len(whole), 5)
    assert isinstance(taken.pdu, RegistersResponse)
    assert taken.pdu.payload == PDU[2:]


@pytest.mark.parametrize(
    "data",
    [
        rtu(5, PDU)[:-1] + b"\0",
        rtu(5, b"\x63abcdef"),
        b"HTTP/1.1 400",
        rtu(5, b"\x03\xff" + b"\0" * 255),
    ],
)
def test_what_is_no_rtu_frame(data: bytes) -> None:
    with pytest.raises(NotModbusError):
        RtuFraming().take(data)


@given(st.binary(max_size=300), st.sampled_from([MbapFraming(), RtuFraming()]))
def test_any_bytes_are_judged(data: bytes, framing: MbapFraming | RtuFraming) -> None:
    try:
        taken = framing.take(data)
    except NotModbusError:
        return
    assert taken is None or 0 < taken.size <= len(data)


@given(st.integers(0, 8 * len(rtu(5, PDU)) - 1))
def test_a_flipped_bit_never_passes_the_crc(bit: int) -> None:
    data = bytearray(rtu(5, PDU))
    data[bit // 8] ^= 1 << bit % 8
    try:
        taken = RtuFraming().take(bytes(data))
    except NotModbusError:
        return
    assert taken is None, "a longer frame is waited for, until the time is up"


@pytest.mark.requirement("L2-KEYS")
async def test_the_key_that_a_device_proves_is_known(root: Root) -> None:
    keys = []
    for name in ("first", "second"):
        identity = root.issue(name)
        async with pymodbus_serves(Transport.TLS, server_context(identity, None)) as plain:
            connection = await ModbusConnection.open("box", tls(plain, root, name=name))
            peer = connection.peer
            connection.close()
        certificate = x509.load_pem_x509_certificate(identity.certificate.read_bytes())
        spki = certificate.public_key().public_bytes(
            Encoding.DER, PublicFormat.SubjectPublicKeyInfo
        )
        assert (peer.host, peer.key) == ("127.0.0.1", hashlib.sha256(spki).hexdigest())
        keys.append(peer.key)
    assert len(set(keys)) == 2


@pytest.mark.requirement("L2-KEYS")
async def test_who_shares_a_connection_does_not_go_on_with_another_key(root: Root) -> None:
    """A gateway that is exchanged between two turns: the unit that waits has to look again."""
    context = server_context(root.issue("gateway"), None)
    async with pymodbus_serves(Transport.TLS, context) as plain:
        address, pool = tls(plain, root, name="gateway"), ModbusPool()
        one = await ModbusConnection.open("one", address, pool)
        seven = await ModbusConnection.open("seven", replace(address, unit=7), pool)
        assert await seven.read_holding(0, 1, "all") == (7000,)
        wire = seven._channel._wire
        assert wire is not None
        wire.end("a call was given up")  # as after an answer that did not come
        other = root.issue("gateway")
        context.load_cert_chain(other.certificate, other.key)
        with pytest.raises(TransientError, match="another key"):
            await seven.read_holding(0, 1, "all")
        assert one.ended == "another key was shown than before"
