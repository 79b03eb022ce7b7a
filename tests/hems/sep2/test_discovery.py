"""DNS-SD: what an announcement says, and a real one on the loopback interface."""

import asyncio
import socket

import pytest
from zeroconf import ServiceInfo
from zeroconf.asyncio import AsyncZeroconf

from hems.sep2.errors import MalformedError
from hems.sep2.transport.discovery import SERVICE_TYPE, Discovery, Found, parse_txt

pytestmark = pytest.mark.requirement("PRO-2030.5")


@pytest.mark.parametrize(
    ("address", "txt", "base", "dcap"),
    [
        ("192.0.2.7", {"dcap": "/dcap", "https": None}, "https://192.0.2.7:80", "/dcap"),
        ("192.0.2.7", {"dcap": "dcap", "https": "8443"}, "https://192.0.2.7:8443", "/dcap"),
        ("192.0.2.7", {"dcap": "/d"}, "http://192.0.2.7:80", "/d"),
        ("2001:db8::7", {"dcap": "/d", "https": "1"}, "https://[2001:db8::7]:1", "/d"),
    ],
)
def test_reads_a_txt_record(address: str, txt: dict[str, str | None], base: str, dcap: str) -> None:
    assert parse_txt("u", address, 80, txt) == Found("u", base, dcap)


@pytest.mark.parametrize(
    ("txt", "words"),
    [
        ({"https": "443"}, "no dcap"),
        ({"dcap": "", "https": "443"}, "no dcap"),
        ({"dcap": "/d", "https": "many"}, "'many' is no port"),
        ({"dcap": "/d", "https": "70000"}, "'70000' is no port"),
    ],
)
def test_refuses_a_txt_record_that_leads_nowhere(txt: dict[str, str | None], words: str) -> None:
    with pytest.raises(MalformedError, match=words):
        parse_txt("utility", "192.0.2.7", 80, txt)


@pytest.mark.usefixtures("multicast_dns")
async def test_finds_an_announced_server_after_a_useless_one() -> None:
    def service(name: str, port: int, txt: dict[str, str]) -> ServiceInfo:
        return ServiceInfo(
            SERVICE_TYPE,
            f"{name}.{SERVICE_TYPE}",
            port=port,
            addresses=[socket.inet_aton("127.0.0.1")],
            properties=txt,
            server=f"{name}.local.",
        )

    announcer = AsyncZeroconf(interfaces=["127.0.0.1"])
    listener = AsyncZeroconf(interfaces=["127.0.0.1"])
    try:
        await (await announcer.async_register_service(service("bad", 1, {"txtvers": "1"})))
        async with asyncio.timeout(15), Discovery(listener) as discovery:
            with pytest.raises(MalformedError, match="bad"):
                await discovery.next()
            good = service("good", 8443, {"txtvers": "1", "dcap": "/dcap", "https": "8443"})
            await (await announcer.async_register_service(good))
            found = await discovery.next()
        assert (found.base, found.dcap) == ("https://127.0.0.1:8443", "/dcap")
    finally:
        await announcer.async_unregister_all_services()
        await announcer.async_close()
        await listener.async_close()
