"""Behind a proxy: a real nginx, and everybody who would like to be taken for it."""

import asyncio
import base64
import json
import socket
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from urllib.parse import quote

import aiohttp
import pytest

from certs.pem import der, read_certificates
from certs.pki import Pki, init_pki, issue_device, revoke
from hems.headend.errors import SettingsError
from hems.headend.proxy.settings import ProxySettings
from hems.headend.ready import ready_line
from hems.headend.server import HeadEnd
from hems.headend.settings import HeadEndSettings, load_settings
from hems.sep2.resources import DERControlList, EndDeviceList, Notification, Subscription
from hems.sep2.xml import parse, serialize
from tests.hems.headend.conftest import Home, Listen, Operator
from tests.nginx import Nginx

pytestmark = pytest.mark.requirement("PRO-2030.5", "L1-AUTH")
HEADER = "X-SSL-Client-Cert"
WAIT_S = 10.0


@pytest.fixture
def own(tmp_path: Path) -> Pki:
    """A PKI whose certificates a test may revoke."""
    made = init_pki(tmp_path / "own")
    for name in ("home-a", "home-b"):
        issue_device(made, name)
    return made


def authorities(pki: Pki, path: Path) -> Path:
    """Write the CAs between a PKI's root and its homes to a file."""
    chain = read_certificates(pki.identity("home-a").certificate)
    path.write_bytes(b"".join(_pem(each) for each in map(der, chain[1:])))
    return path


def _pem(octets: bytes) -> bytes:
    text = base64.encodebytes(octets)
    return b"-----BEGIN CERTIFICATE-----\n" + text + b"-----END CERTIFICATE-----\n"


def behind(
    settings: HeadEndSettings, pki: Pki, tmp_path: Path, **changes: object
) -> HeadEndSettings:
    """Return settings for a proxy."""
    utility = pki.identity("utility")
    wish = {
        "from": ("127.0.0.1/32",),
        "header": HEADER,
        "authorities": authorities(pki, tmp_path / "cas.pem"),
        "address_header": "X-Real-IP",
        "reached_at": "https://der.example",
        **changes,
    }
    return settings.model_copy(
        update={
            "certificate": utility.certificate,
            "key": utility.key,
            "roots": pki.trust.roots,
            "crls": pki.trust.crls,
            "proxy": ProxySettings.model_validate(wish),
        }
    )


@pytest.fixture
async def proxied(settings: HeadEndSettings, own: Pki, tmp_path: Path) -> AsyncIterator[HeadEnd]:
    async with HeadEnd(behind(settings, own, tmp_path)) as running:
        yield running


@pytest.fixture
async def nginx(proxied: HeadEnd, own: Pki) -> AsyncIterator[Nginx]:
    with Nginx(own.identity("utility"), proxied.addresses.proxied, HEADER) as running:
        yield running


@pytest.fixture
async def office(proxied: HeadEnd) -> AsyncIterator[Operator]:
    person = Operator(proxied)
    yield person
    await person.aclose()


@pytest.fixture
async def home(own: Pki, nginx: Nginx, office: Operator) -> AsyncIterator[Home]:
    made = Home(own.identity("home-a"), own, nginx.url)
    await office.enter(made)
    yield made
    await made.aclose()


@pytest.fixture
async def other(own: Pki, nginx: Nginx) -> AsyncIterator[Home]:
    """A home that nobody has entered."""
    made = Home(own.identity("home-b"), own, nginx.url)
    yield made
    await made.aclose()


def escaped(pki: Pki, name: str, *, whole: bool = False) -> str:
    """Return a certificate as nginx passes it on."""
    chain = read_certificates(pki.identity(name).certificate)
    return quote(b"".join(map(_pem, map(der, chain if whole else chain[:1]))), safe="")


def rfc(pki: Pki, name: str) -> tuple[str, str]:
    """Return a certificate and its CAs as RFC 9440 has them."""
    first, *others = (
        f":{base64.b64encode(der(each)).decode()}:"
        for each in read_certificates(pki.identity(name).certificate)
    )
    return first, ", ".join(others)


async def ask(
    origin: str, path: str, headers: Mapping[str, str] | list[tuple[str, str]]
) -> tuple[int, str]:
    """Ask without TLS, as whoever sits in the network might."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(origin + path, headers=headers) as answer,
    ):
        return answer.status, await answer.text()


async def test_a_home_is_served_through_nginx_as_itself(
    home: Home, proxied: HeadEnd, office: Operator, other: Home, listen: Listen
) -> None:
    device = (await home.get("/edev", EndDeviceList)).end_device[0]
    assert device.lfdi == home.lfdi
    assert (await other.ask("GET", str(device.href))).status == 403
    assert (await other.ask("GET", "/edev")).status == 200

    heard: asyncio.Queue[bytes] = asyncio.Queue()

    def hook(body: bytes) -> int:
        heard.put_nowait(body)
        return 204

    assert device.subscription_list_link is not None
    wish = Subscription(
        subscribed_resource="/derp/1/derc",
        encoding=0,
        level="+S1",
        limit=5,
        notification_uri=await listen(home.server_tls, hook),
    )
    made = await home.ask("POST", device.subscription_list_link.href, wish)
    assert made.status == 201, "its own address is the one that nginx tells"
    event = await office.event(limit_import_w=1000, minutes=10)
    told = parse(await asyncio.wait_for(heard.get(), WAIT_S), Notification)
    assert told.subscription_uri == f"https://der.example{made.location}"
    assert isinstance(told.resource, DERControlList)
    assert [control.mrid for control in told.resource.der_control] == [event["id"]]
    elsewhere = serialize(wish).replace(b"127.0.0.1", b"192.0.2.1")
    assert (await home.ask("POST", device.subscription_list_link.href, elsewhere)).status == 400
    assert json.loads(ready_line(proxied.addresses))["proxied"] == proxied.addresses.proxied


async def test_what_a_home_says_of_itself_in_headers_counts_for_nothing(
    home: Home, other: Home, own: Pki, proxied: HeadEnd
) -> None:
    forged = {HEADER: escaped(own, "home-a", whole=True), "Client-Cert": rfc(own, "home-a")[0]}
    assert (await home.get("/edev", EndDeviceList)).all == 1
    seen = await other.ask("GET", "/edev", None, **forged)
    assert parse(seen.body, EndDeviceList).end_device == (), "home-b is not registered"
    # Nor by TLS of our own, where there is no proxy in between.
    direct = Home(own.identity("home-b"), own, proxied.addresses.base_url)
    seen = await direct.ask("GET", "/edev", None, **forged)
    assert parse(seen.body, EndDeviceList).end_device == ()
    await direct.aclose()
    # Without any certificate nginx passes an empty header on.
    plain = aiohttp.TCPConnector(ssl=False)
    async with (
        aiohttp.ClientSession(connector=plain) as session,
        session.get(f"{home.base_url}/edev", headers=forged) as answer,
    ):
        assert (answer.status, "passes no certificate" in await answer.text()) == (403, True)


async def test_who_is_not_the_proxy_is_not_heard(
    settings: HeadEndSettings, own: Pki, tmp_path: Path
) -> None:
    elsewhere = behind(settings, own, tmp_path, **{"from": ("192.0.2.0/24",)})
    async with HeadEnd(elsewhere) as head_end:
        said = await ask(
            head_end.addresses.proxied, "/dcap", {HEADER: escaped(own, "home-a", whole=True)}
        )
        assert said == (403, "127.0.0.1 is not the proxy\n")


async def test_who_speaks_no_tls_gets_nothing_at_the_door_for_homes(
    proxied: HeadEnd, own: Pki
) -> None:
    plain = proxied.addresses.base_url.replace("https:", "http:")
    with pytest.raises(aiohttp.ClientError):
        await ask(plain, "/dcap", {HEADER: escaped(own, "home-a")})


async def test_what_the_proxy_passes_on_is_read_strictly(proxied: HeadEnd, own: Pki) -> None:
    good = escaped(own, "home-a")
    address = {"X-Real-IP": "127.0.0.1"}
    origin = proxied.addresses.proxied
    assert (await ask(origin, "/dcap", {HEADER: good, **address}))[0] == 200
    other = escaped(own, "home-b")
    bad: list[tuple[list[tuple[str, str]], int, str]] = [
        ([], 403, "passes no certificate"),
        ([(HEADER, "")], 403, "passes no certificate"),
        ([(HEADER, good), (HEADER, other)], 400, f"{HEADER} comes 2 times"),
        ([(HEADER, f"{good},{other}")], 400, "no escaped PEM"),
        ([(HEADER, f"{good}, {other}")], 400, "no escaped PEM"),
        ([(HEADER, good.partition("-----END")[0])], 400, "no certificate in PEM"),
        ([(HEADER, "nonsense")], 400, "no certificate in PEM"),
        ([(HEADER, quote("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"))], 400,
         "damaged"),
        ([(HEADER, good * 7)], 400, "more than 6"),
        ([(HEADER, good + "%0Aand more")], 400, "no escaped PEM"),
        ([(HEADER, quote("text before\n") + good)], 400, "no certificate in PEM"),
        ([(HEADER, good), ("X-Real-IP", "1.1.1.1"), ("X-Real-IP", "2.2.2.2")], 400, "2 times"),
        ([(HEADER, good), ("X-Real-IP", "127.0.0.1, 10.0.0.1")], 400, "is no address"),
    ]  # fmt: skip
    for headers, status, said in bad:
        answered, text = await ask(origin, "/dcap", headers)
        assert (answered, said in text) == (status, True), (said, headers, text)


async def test_a_certificate_that_nobody_here_trusts_is_refused_and_one_revoked(
    proxied: HeadEnd, own: Pki, pki: Pki
) -> None:
    origin = proxied.addresses.proxied
    foreign = escaped(pki, "home-a", whole=True)
    status, text = await ask(origin, "/dcap", {HEADER: foreign})
    assert (status, "of no CA that is known here" in text) == (403, True)
    good = {HEADER: escaped(own, "home-a")}
    assert (await ask(origin, "/dcap", good))[0] == 200
    revoke(own, read_certificates(own.identity("home-a").certificate)[0])
    proxied.watch.refresh()
    status, text = await ask(origin, "/dcap", good)
    assert (status, "is revoked" in text) == (403, True)
    assert (await ask(origin, "/dcap", {HEADER: escaped(own, "home-b")}))[0] == 200


async def test_a_home_revoked_meanwhile_is_refused_on_its_open_connection(
    home: Home, own: Pki, proxied: HeadEnd
) -> None:
    assert (await home.ask("GET", "/edev")).status == 200
    revoke(own, read_certificates(own.identity("home-a").certificate)[0])
    proxied.watch.refresh()
    assert (await home.ask("GET", "/edev")).status == 403


async def test_certificates_as_rfc_9440_has_them(
    settings: HeadEndSettings, own: Pki, tmp_path: Path
) -> None:
    changed = behind(settings, own, tmp_path, header="Client-Cert", authorities=None)
    async with HeadEnd(changed) as head_end:
        origin = head_end.addresses.proxied
        leaf, chain = rfc(own, "home-a")
        both = [("Client-Cert", leaf), ("Client-Cert-Chain", chain)]
        assert (await ask(origin, "/dcap", both))[0] == 200
        bad: list[tuple[list[tuple[str, str]], int, str]] = [
            ([both[0]], 403, "of no CA that is known here"),
            ([both[1]], 403, "passes no certificate"),
            ([*both, both[0]], 400, "Client-Cert comes 2 times"),
            ([*both, both[1]], 400, "Client-Cert-Chain comes 2 times"),
            ([("Client-Cert", f"{leaf}, {leaf}"), both[1]], 400, "as RFC 9440 has it"),
            ([("Client-Cert", f"{leaf};a=1"), both[1]], 400, "as RFC 9440 has it"),
            ([("Client-Cert", leaf.strip(":")), both[1]], 400, "as RFC 9440 has it"),
            ([("Client-Cert", "::"), both[1]], 400, "damaged"),
            ([("Client-Cert", ":AAAAA:"), both[1]], 400, "damaged"),
            ([both[0], ("Client-Cert-Chain", "")], 400, "as RFC 9440 has it"),
            ([both[0], ("Client-Cert-Chain", ", ".join([leaf] * 6))], 400, "more than 6"),
            ([(HEADER, escaped(own, "home-a", whole=True))], 403, "passes no certificate"),
        ]
        for headers, status, said in bad:
            answered, text = await ask(origin, "/dcap", headers)
            assert (answered, said in text) == (status, True), (said, headers, text)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ('from = ["everywhere"]', "is no network"),
        ('from = ["0.0.0.0/0"]', "anybody could say who he is"),
        ('from = ["::/0"]', "anybody could say who he is"),
        ("from = []", "proxy.from"),
        ('header = "X Y"', "proxy.header"),
        ('header = "X"\naddress_header = "x"', "is the header of the certificate"),
        ('reached = "https://x"', "proxy.reached"),
    ],
)
def test_settings_that_make_no_sense_are_named(tmp_path: Path, lines: str, said: str) -> None:
    path = tmp_path / "headend.toml"
    common = "\n".join(
        f'{name} = "x"'
        for name in ("database", "certificate", "key", "roots", "crls", "token_file")
    )
    path.write_text(f'{common}\n[proxy]\nreached_at = "https://der.example"\n{lines}\n')
    with pytest.raises(SettingsError, match=r"headend\.toml: proxy") as refused:
        load_settings(path)
    assert said in str(refused.value)


async def test_its_own_door_is_told_when_it_is_taken(
    settings: HeadEndSettings, own: Pki, tmp_path: Path
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=f"127.0.0.1 port {port}"):
            async with HeadEnd(behind(settings, own, tmp_path, port=port)):
                pass
