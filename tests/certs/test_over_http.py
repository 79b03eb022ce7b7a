"""The contexts under aiohttp, which is what the controller and the head-end run on."""

import logging

import aiohttp
import pytest
from aiohttp import web

from certs.explain import explain
from certs.identity import lfdi
from certs.pem import der, read_certificates
from certs.pki import Pki, issue_device, revoke
from certs.tls import client_context, server_context
from certs.verify import peer_lfdi

pytestmark = [pytest.mark.requirement("L1-AUTH"), pytest.mark.requirement("PRO-2030.5")]


async def who(request: web.Request) -> web.Response:
    assert request.transport is not None
    return web.Response(text=peer_lfdi(request.transport.get_extra_info("ssl_object")))


@pytest.mark.parametrize("tls13", [False, True])
async def test_the_server_knows_each_client_and_a_revoked_one_learns_why(
    pki: Pki, tls13: bool, caplog: pytest.LogCaptureFixture
) -> None:
    app = web.Application()
    app.router.add_get("/who", who)
    runner = web.AppRunner(app)
    await runner.setup()
    server = server_context(pki.identity("utility"), pki.trust, tls13=tls13)
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=server)
    await site.start()
    url = f"https://127.0.0.1:{runner.addresses[0][1]}/who"
    bad = issue_device(pki, "bad")
    revoke(pki, read_certificates(bad.certificate)[0])
    server.reload_crls()
    try:
        for name in ("hub", "utility"):
            context = client_context(pki.identity(name), pki.trust, tls13=tls13)
            certificate = read_certificates(pki.identity(name).certificate)[0]
            async with aiohttp.ClientSession() as session, session.get(url, ssl=context) as answer:
                assert await answer.text() == lfdi(der(certificate))
        with caplog.at_level(logging.WARNING, logger="certs.tls"):
            async with aiohttp.ClientSession() as session:
                with pytest.raises(aiohttp.ClientError) as refusal:
                    await session.get(url, ssl=client_context(bad, pki.trust, tls13=tls13))
        assert "it has been revoked" in caplog.text
        if not tls13:  # under 1.3 the reset may overtake the alert
            assert explain(refusal.value) == "the peer says that our certificate has been revoked"
    finally:
        await runner.cleanup()


async def test_a_client_that_does_not_trust_the_server_says_so(pki: Pki) -> None:
    runner = web.AppRunner(web.Application())
    await runner.setup()
    server = server_context(pki.identity("utility"), pki.trust)
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=server).start()
    url = f"https://127.0.0.1:{runner.addresses[0][1]}/"
    revoke(pki, read_certificates(pki.identity("utility").certificate)[0])
    try:
        async with aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.ClientConnectorCertificateError) as refusal:
                await session.get(url, ssl=client_context(pki.identity("hub"), pki.trust))
    finally:
        await runner.cleanup()
    assert explain(refusal.value) == "the peer's certificate is refused: it has been revoked"
