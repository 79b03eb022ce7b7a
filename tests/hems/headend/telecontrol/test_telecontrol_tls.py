"""A control centre by TLS: both sides prove themselves; who is revoked is thrown out."""

import ssl
from pathlib import Path

import pytest

from certs.pem import read_certificates
from certs.pki import Pki, init_pki, issue_service, revoke
from hems.headend.server import HeadEnd
from hems.headend.telecontrol.settings import CentreSettings, TelecontrolSettings
from tests.hems.headend.conftest import Home
from tests.hems.headend.telecontrol.centre import HungUpError, calling

pytestmark = [pytest.mark.requirement("PRO-GATEWAY"), pytest.mark.requirement("PRO-104")]

CON, TERM = (7, False), (10, False)


@pytest.fixture(scope="module")
def grid(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    made = init_pki(tmp_path_factory.mktemp("grid") / "pki")
    for name in ("station", "scada", "stranger"):
        issue_service(made, name, hosts=["127.0.0.1"])
    return made


@pytest.fixture
def telecontrol(table: Path, grid: Pki) -> TelecontrolSettings:
    scada = read_certificates(grid.identity("scada").certificate)[0]
    subject = scada.subject.rfc4514_string()
    own = grid.identity("station")
    return TelecontrolSettings(
        port=0,
        table=table,
        centres=(CentreSettings(name="scada", subject=subject, commands=True),),
        certificate=own.certificate,
        key=own.key,
        roots=grid.trust.roots,
        crls=grid.trust.crls,
        look_s=1,
    )


def context(grid: Pki, name: str | None) -> ssl.SSLContext:
    made = ssl.create_default_context(cafile=str(grid.trust.roots))
    if name is not None:
        own = grid.identity(name)
        made.load_cert_chain(own.certificate, own.key)
    return made


async def test_a_centre_is_known_by_its_certificate(
    home: Home, head_end: HeadEnd, grid: Pki
) -> None:
    del home
    place = head_end.addresses.telecontrol
    async with calling(place, context(grid, "scada"), "127.0.0.1") as centre:
        await centre.start()
        assert await centre.interrogate()
        assert await centre.set_point(201, 2.0) == [CON, TERM]


@pytest.mark.parametrize("name", [None, "stranger"])
async def test_others_are_turned_away(head_end: HeadEnd, grid: Pki, name: str | None) -> None:
    await _refused(head_end.addresses.telecontrol, context(grid, name))


async def test_plain_words_are_no_handshake(head_end: HeadEnd) -> None:
    async with calling(head_end.addresses.telecontrol) as centre:
        centre.raw(bytes.fromhex("680407000000"))
        assert await centre.hung_up()


async def test_who_is_revoked_is_thrown_out_and_not_let_in(
    home: Home, head_end: HeadEnd, grid: Pki
) -> None:
    del home
    place, tls = head_end.addresses.telecontrol, context(grid, "scada")
    async with calling(place, tls, "127.0.0.1") as centre:
        await centre.start()
        revoke(grid, read_certificates(grid.identity("scada").certificate)[0])
        assert await centre.hung_up()
    await _refused(place, context(grid, "scada"))


async def _refused(place: str, tls: ssl.SSLContext) -> None:
    with pytest.raises((HungUpError, ConnectionError, ssl.SSLError)):
        async with calling(place, tls, "127.0.0.1") as centre:
            await centre.start()
