"""EST over real TLS: new homes, renewals, and who tries to get a certificate without a right."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from certs.est import client
from certs.est.answer import Issued
from certs.est.client import Holder
from certs.est.code import fingerprint, new_secret
from certs.est.errors import EstError, Fault, WaitError
from certs.est.transport import ask
from certs.est.wire import CERTS_ONLY, in_base64, read_certs_only
from certs.hwname import HardwareName
from certs.identity import IdentityFiles, lfdi
from certs.issue import Validity, new_key
from certs.pem import der, read_certificates, read_signing_key, write_certificates, write_key
from certs.pki import Pki, init_pki, issue_device, revoke
from certs.verify import hardware_name
from hems.headend.est.settings import EstSettings
from hems.headend.settings import HeadEndSettings
from tests.hems.headend.conftest import Home
from tests.hems.headend.enrolling import Utility, running
from tests.waiting import until

pytestmark = [pytest.mark.requirement("L1-AUTH", "L3-IDENTITY", "LC-COMMISSION")]

NAME = HardwareName("1.3.6.1.4.1.32473.1", b"hub")


@pytest.fixture(scope="module")
def makers(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    """A manufacturer's PKI, whose `hub` is a device as it leaves the factory."""
    return init_pki(tmp_path_factory.mktemp("maker") / "pki", label="Maker")


@pytest.fixture
async def utility(settings: HeadEndSettings, pki: Pki, makers: Pki) -> AsyncIterator[Utility]:
    est = EstSettings(pki=pki.folder, manufacturers=makers.trust.roots, lifetime_days=365)
    async with running(settings, pki, est) as found:
        yield found


def kept(folder: Path, issued: Issued, key: ec.EllipticCurvePrivateKey) -> IdentityFiles:
    files = IdentityFiles(folder / "own.pem", folder / "own.key")
    write_certificates(files.certificate, issued.chain)
    write_key(files.key, key)
    return files


def request(
    key: Any,
    *,
    name: HardwareName | None = None,
    subject: str = "",
    digest: hashes.SHA256 | hashes.SHA384 | None = None,
    authority: bool = False,
) -> bytes:
    names = [x509.NameAttribute(NameOID.COMMON_NAME, subject)] if subject else []
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(names))
    if name is not None:
        san = x509.SubjectAlternativeName([name.other_name()])
        builder = builder.add_extension(san, critical=True)
    if authority:
        builder = builder.add_extension(x509.BasicConstraints(True, 0), critical=True)
    return in_base64(builder.sign(key, digest or hashes.SHA256()).public_bytes(Encoding.DER))


@pytest.mark.requirement("PRO-2030.5")
async def test_a_code_makes_a_registered_home(utility: Utility, tmp_path: Path) -> None:
    code, key = await utility.code(edition="2023"), new_key()
    issued = await client.enrol(code, key, None, time.time)
    own = lfdi(der(issued.chain[0]))
    home = utility.head_end.book.home(own)
    assert home is not None
    assert (f"{home.pin:06d}", home.edition.value) == (code.pin, "2023")
    assert (issued.dcap, issued.edition) == (utility.head_end.addresses.dcap_url, "2023")
    assert len(issued.chain) == 3
    assert not issued.chain[0].subject.rdns
    assert hardware_name(issued.chain[0]).kind == NAME.kind
    there = Home(kept(tmp_path, issued, key), utility.pki, utility.head_end.addresses.base_url)
    assert (await there.ask("GET", "/edev")).status == 200, "it comes in at once"
    await there.aclose()
    _, made = await utility.operator.ask("GET", "/enrolment-codes")
    assert [each["used"] for each in made["codes"]] == [True]
    assert made["codes"][0]["text"] is None, "the secret is told once"


async def test_an_answer_that_was_lost_costs_nothing(utility: Utility) -> None:
    code, key = await utility.code(), new_key()
    first = await client.enrol(code, key, None, time.time)
    again = await client.enrol(code, key, None, time.time)
    assert again.chain == first.chain
    assert len(utility.head_end.book.homes) == 1


async def test_codes_and_enrolments_outlive_a_restart(
    settings: HeadEndSettings, pki: Pki, file: Path
) -> None:
    est = EstSettings(pki=pki.folder)
    key = new_key()
    async with running(settings, pki, est) as utility:
        code, used = await utility.code(), await utility.code()
        first = await client.enrol(used, key, None, time.time)
        kept_there = await asyncio.to_thread(file.read_bytes) + code.secret
        assert kept_there.count(code.secret) == 1, "only its hash is kept"
    async with running(settings, pki, est) as utility:
        port = int(utility.est.rpartition(":")[2])
        used, code = replace(used, port=port), replace(code, port=port)
        assert (await client.enrol(used, key, None, time.time)).chain == first.chain
        assert (await client.enrol(code, new_key(), None, time.time)).chain
        with pytest.raises(EstError) as caught:
            await client.enrol(used, new_key(), None, time.time)
        assert caught.value.fault is Fault.SPENT


async def test_a_used_wrong_or_expired_code_gets_nothing(
    utility: Utility, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = await utility.code()
    await client.enrol(code, new_key(), None, time.time)
    late = await utility.code(hours=0.001)
    gone = await utility.code()
    _, made = await utility.operator.ask("GET", "/enrolment-codes")
    async with (
        aiohttp.ClientSession(
            utility.head_end.addresses.operator_url,
            headers={"Authorization": f"Bearer {utility.head_end.token}"},
        ) as session,
        session.delete(f"/enrolment-codes/{made['codes'][-1]['id']}") as answer,
    ):
        assert answer.status == 204
    monkeypatch.setattr(utility.head_end._clock, "now", lambda: time.time() + 10, raising=False)
    for wrong in (code, replace(code, secret=new_secret()), late, gone):
        with pytest.raises(EstError) as caught:
            await client.enrol(wrong, new_key(), None, time.time)
        assert caught.value.fault is Fault.SPENT
        assert "code" in str(caught.value)
    assert len(utility.head_end.book.homes) == 1


@pytest.mark.requirement("LC-TEST")
async def test_guessing_is_slowed_down_and_the_right_code_waits_with_it(
    utility: Utility,
) -> None:
    body = request(new_key())
    statuses = [(await utility.post(body, password="0" * 18))[0] for _ in range(8)]
    assert statuses == [401] * 5 + [429] * 3
    status, said, headers = await utility.post(body, password="junk")
    assert (status, 0 < int(headers["Retry-After"]) <= 24) == (429, True), said
    with pytest.raises(WaitError):
        await client.enrol(await utility.code(), new_key(), None, time.time)
    assert not utility.head_end.book.homes


async def test_a_code_used_by_two_at_once_makes_one_home(utility: Utility) -> None:
    code = await utility.code()
    done = await asyncio.gather(
        *(client.enrol(code, new_key(), None, time.time) for _ in range(4)),
        return_exceptions=True,
    )
    assert [isinstance(each, Issued) for each in done].count(True) == 1
    assert len(utility.head_end.book.homes) == 1


@pytest.mark.requirement("LC-TEST")
@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: request(rsa.generate_private_key(65537, 2048)), "P-256"),
        (lambda: request(ec.generate_private_key(ec.SECP384R1())), "P-256"),
        (lambda: request(new_key(), digest=hashes.SHA384()), "SHA-256"),
        (lambda: request(new_key(), subject="Rosenweg"), "subject"),
        (lambda: request(new_key(), authority=True), "2.5.29.19"),
        (lambda: request(new_key(), name=NAME), "hardware that its code does not"),
        (lambda: b"bm90IGEgcmVxdWVzdA==", "PKCS #10"),
        (lambda: b"\0\xff" * 50, "PKCS #10"),
        (lambda: b"", "PKCS #10"),
        (lambda: in_base64(_forged()), "not signed"),
    ],
)
async def test_requests_that_break_a_rule(
    utility: Utility, make: Callable[[], bytes], said: str
) -> None:
    code = await utility.code()
    status, text, _ = await utility.post(make(), password=code.password)
    assert status in {400, 403}, text
    assert said in text
    assert not utility.head_end.book.homes
    _, made = await utility.operator.ask("GET", "/enrolment-codes")
    assert not made["codes"][0]["used"], "a slip costs no code"


def _forged() -> bytes:
    """Return a request whose signature was touched."""
    whole = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    raw = whole.sign(new_key(), hashes.SHA256()).public_bytes(Encoding.DER)
    return raw[:-1] + bytes((raw[-1] ^ 1,))


async def test_what_is_too_large_or_of_another_kind(utility: Utility) -> None:
    code = await utility.code()
    assert (await utility.post(b"A" * 9000, password=code.password))[0] == 413
    body = request(new_key())
    assert (await utility.post(body, password=code.password, kind="text/xml"))[0] == 415
    assert (await utility.post(body))[0] == 401
    status, said, _ = await utility.post(body, operation="serverkeygen")
    assert (status, said) == (501, "keys are made by the devices themselves\n")
    assert (await utility.post(body, operation="fullcmc"))[0] == 404
    assert (await utility.post(body, operation="cacerts"))[0] == 405


async def test_a_factory_certificate_waits_for_the_operator(utility: Utility, makers: Pki) -> None:
    code = await utility.code(manufacturer=True)
    assert (code.secret, code.pin) == (b"", "")
    maker = Holder(makers.identity("hub"), NAME)
    key = new_key()
    with pytest.raises(WaitError) as caught:
        await client.enrol(code, key, maker, time.time)
    assert caught.value.again_s == 30
    found = await utility.waiting()
    assert found["serial"] == b"hub".hex()
    path = f"/enrolments/{found['id']}/approve"
    assert (await utility.operator.ask("POST", path))[0] == 409, "its PIN is not known"
    assert (await utility.operator.ask("POST", path, {"pin": "1"}))[0] == 422
    assert (await utility.operator.ask("POST", path, {"pin": "111115"}))[0] == 200
    issued = await client.enrol(code, key, maker, time.time)
    assert hardware_name(issued.chain[0]) == NAME, "it keeps the name of the hardware"
    (home,) = utility.head_end.book.homes
    assert (home.lfdi, home.pin) == (lfdi(der(issued.chain[0])), 111115)
    other = new_key()
    with pytest.raises(WaitError):
        await client.enrol(code, other, maker, time.time)
    found = await utility.waiting()
    await utility.operator.ask("POST", f"/enrolments/{found['id']}/refuse")
    with pytest.raises(EstError, match="refused this home"):
        await client.enrol(code, other, maker, time.time)


async def test_a_factory_certificate_and_a_code_need_nobody(utility: Utility, makers: Pki) -> None:
    maker = Holder(makers.identity("hub"), NAME)
    issued = await client.enrol(await utility.code(), new_key(), maker, time.time)
    assert hardware_name(issued.chain[0]) == NAME
    code = await utility.code(serial="00ff")
    with pytest.raises(EstError, match="other hardware"):
        await client.enrol(code, new_key(), maker, time.time)


@pytest.mark.requirement("LC-TEST")
async def test_who_shows_another_certificate(utility: Utility, makers: Pki, tmp_path: Path) -> None:
    code = await utility.code(manufacturer=True)
    unknown = init_pki(tmp_path / "unknown")
    with pytest.raises(EstError) as caught:
        await client.enrol(code, new_key(), Holder(unknown.identity("hub"), NAME), time.time)
    assert caught.value.fault is Fault.UNREACHABLE, "TLS lets nobody in whose maker is unknown"
    past = Validity(datetime(2020, 1, 1, tzinfo=UTC), datetime(2021, 1, 1, tzinfo=UTC))
    expired = issue_device(makers, f"old{time.time_ns()}", validity=past)
    with pytest.raises(EstError):
        await client.enrol(code, new_key(), Holder(expired, NAME), time.time)
    ours = utility.pki.identity("home-a")
    body = request(new_key())
    assert (await utility.post(body, identity=ours))[0] == 401, "ours is no manufacturer's"
    lying = Holder(makers.identity("hub"), replace(NAME, serial=b"another"))
    with pytest.raises(EstError, match="other hardware"):
        await client.enrol(code, new_key(), lying, time.time)


async def test_the_key_of_another_home_is_refused(utility: Utility) -> None:
    key = new_key()
    await client.enrol(await utility.code(), key, None, time.time)
    with pytest.raises(EstError, match="another device's"):
        await client.enrol(await utility.code(), key, None, time.time)


async def test_the_operator_approves_codes_too_where_it_wants(
    settings: HeadEndSettings, pki: Pki
) -> None:
    est = EstSettings(pki=pki.folder, approve=True, again_s=1)
    async with running(settings, pki, est) as utility:
        code, key = await utility.code(), new_key()
        asking = asyncio.create_task(
            client.waited(lambda: client.enrol(code, key, None, time.time), 20.0)
        )
        await until(
            lambda: utility.operator.ask("GET", "/enrolments"),
            lambda said: bool(said[1]["enrolments"]),
            20.0,
            "it waits",
        )
        found = await utility.waiting()
        with pytest.raises(EstError, match="code"):
            await client.enrol(code, new_key(), None, time.time)
        await utility.operator.ask("POST", f"/enrolments/{found['id']}/approve")
        assert (await asking).chain


@pytest.mark.requirement("L2-KEYS")
async def test_a_certificate_is_renewed_by_the_one_that_holds(
    utility: Utility, tmp_path: Path
) -> None:
    key = new_key()
    first = await client.enrol(await utility.code(), key, None, time.time)
    present, name = kept(tmp_path, first, key), hardware_name(first.chain[0])
    holder, after = Holder(present, name), new_key()
    second = await client.renew(utility.est, first, holder, after, time.time)
    assert hardware_name(second.chain[0]) == name
    assert (await client.renew(utility.est, first, holder, after, time.time)).chain == second.chain
    old, new = (lfdi(der(each.chain[0])) for each in (first, second))
    assert {home.lfdi for home in utility.head_end.book.homes} == {old, new}
    pins = {home.pin for home in utility.head_end.book.homes}
    assert len(pins) == 1, "the home keeps its PIN"
    (tmp_path / "new").mkdir()
    renewed = kept(tmp_path / "new", second, after)
    await client.prove(utility.est, second, renewed)
    there = Home(renewed, utility.pki, utility.head_end.addresses.base_url)
    assert (await there.ask("GET", "/edev")).status == 200
    await there.aclose()
    register = utility.head_end.est
    assert register is not None
    await register.keep()
    assert {home.lfdi for home in utility.head_end.book.homes} == {new}
    with pytest.raises(EstError, match=r"revoked|is not registered"):
        await client.renew(utility.est, second, holder, new_key(), time.time)


@pytest.mark.requirement("LC-TEST", "L2-KEYS")
async def test_who_must_not_renew(utility: Utility, makers: Pki, tmp_path: Path) -> None:
    key = new_key()
    first = await client.enrol(await utility.code(), key, None, time.time)
    present, name = kept(tmp_path, first, key), hardware_name(first.chain[0])
    renew = "simplereenroll"
    for body, identity, said in (
        (request(new_key(), name=name), None, "present certificate"),
        (request(new_key(), name=name), makers.identity("hub"), "present certificate"),
        (request(new_key(), name=NAME), present, "does not name the hardware"),
        (request(new_key()), present, "does not name the hardware"),
        (request(key, name=name), present, "needs a new key"),
        (
            request(new_key(), name=HardwareName(NAME.kind, b"home-b")),
            utility.pki.identity("home-b"),
            "is not registered",
        ),
    ):
        status, text, _ = await utility.post(body, operation=renew, identity=identity)
        assert (status, said in text) == (403, True), text
    other = await client.enrol(await utility.code(), new_key(), None, time.time)
    assert other.chain[0] != first.chain[0]
    revoke(utility.pki, first.chain[0])
    status, text, _ = await utility.post(
        request(new_key(), name=name), operation=renew, identity=present
    )
    assert (status, "revoked" in text) == (403, True), text


@pytest.mark.requirement("LC-TEST")
async def test_a_hub_is_not_fooled_by_another_server(
    utility: Utility, settings: HeadEndSettings, pki: Pki, tmp_path: Path
) -> None:
    code = await utility.code()
    wrong = replace(code, fingerprint=bytes(16))
    with pytest.raises(EstError) as caught:
        await client.enrol(wrong, new_key(), None, time.time)
    assert caught.value.fault is Fault.UNTRUSTED
    assert "nothing was sent" in str(caught.value)
    # Another home of the same CA poses as the utility: its certificate names no host.
    thief = pki.identity("home-c")
    posing = settings.model_copy(
        update={
            "certificate": thief.certificate,
            "key": thief.key,
            "database": tmp_path / "thief.db",
            "token_file": tmp_path / "thief",
        }
    )
    async with running(posing, pki, EstSettings(pki=pki.folder)) as other:
        lured = replace(code, port=int(other.est.rpartition(":")[2]))
        with pytest.raises(EstError) as caught:
            await client.enrol(lured, new_key(), None, time.time)
        assert caught.value.fault is Fault.UNTRUSTED
    assert not utility.head_end.book.homes
    assert (await client.enrol(code, new_key(), None, time.time)).chain, "the code is not lost"


async def test_a_wrong_clock_is_said(utility: Utility) -> None:
    code, key = await utility.code(), new_key()
    with pytest.raises(EstError) as caught:
        await client.enrol(code, key, None, datetime(2020, 1, 1, tzinfo=UTC).timestamp)
    assert caught.value.fault is Fault.CLOCK
    assert "2020-01-01 00:00Z" in str(caught.value)
    assert (await client.enrol(code, key, None, time.time)).chain, "nothing is lost by it"


async def test_the_lists_and_authorities_are_those_of_the_ca(utility: Utility) -> None:
    found = await client.trust(await utility.code(), time.time)
    assert {each.issuer for each in found.crls} == {
        each.subject for each in (*found.roots, *found.chain)
    }
    answer = await ask(utility.est, "cacerts", utility.plain(), kind=CERTS_ONLY)
    root = read_certificates(utility.pki.trust.roots)[0]
    assert root in read_certs_only(answer.body)
    assert fingerprint(der(root)) == (await utility.code()).fingerprint


async def test_a_short_life_is_what_the_settings_say(settings: HeadEndSettings, pki: Pki) -> None:
    async with running(settings, pki, EstSettings(pki=pki.folder, lifetime_days=2)) as utility:
        issued = await client.enrol(await utility.code(), new_key(), None, time.time)
        ends = issued.chain[0].not_valid_after_utc
        assert timedelta(days=1) < ends - datetime.now(UTC) < timedelta(days=2, seconds=5)
    assert read_signing_key(pki.folder / "ca" / "mica.key")
