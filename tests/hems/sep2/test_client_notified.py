"""Who may notify a home, when it can be told, and what notifications overtake."""

import ssl
import time
from dataclasses import replace
from functools import partial

import pytest

from certs.pki import Pki, issue_device
from certs.tls import client_context
from hems.sep2 import resources as res
from hems.sep2.errors import StrangerError
from hems.sep2.xml import serialize
from tests.hems.sep2.client_home import Home
from tests.hems.sep2.controls_made import control
from tests.hems.sep2.utility import Hold, Utility, marker, post, serving

pytestmark = [pytest.mark.requirement("PRO-2030.5"), pytest.mark.requirement("PRO-IP")]

LIST = "/derp/1/derc"


def notification(utility: Utility, *controls: res.DERControl) -> bytes:
    """Return the notification of a whole list, as the home's own server would make it."""
    listed = utility.resources["/edev/1/sub"]
    assert isinstance(listed, res.SubscriptionList)
    return serialize(
        res.Notification(
            subscribed_resource=LIST,
            subscription_uri=listed.subscription[-1].href or "",
            status=0,
            resource=res.DERControlList(
                all=len(controls), results=len(controls), der_control=controls
            ),
        )
    )


async def test_a_neighbours_certificate_commands_nothing(
    home: Home, context: ssl.SSLContext, notifying: ssl.SSLContext, pki: Pki
) -> None:
    utility = home.utility(poll_s=900)
    issue_device(pki, "neighbour")
    neighbour = client_context(pki.identity("neighbour"), pki.trust)
    async with serving(utility, context), home.client(utility.base + "/dcap") as client:
        await utility.settled()
        uri = utility.posted("/edev/1/sub")[0].notification_uri
        body = notification(utility, marker(), control("E1", int(time.time()) - 1, 600))
        assert await post(uri, body, neighbour) == 403
        assert home.limit_w is None
        before = client.state.last_contact
        for stranger in ("A" * 40, home.lfdi, None):
            with pytest.raises(StrangerError):
                await client.handle_notification(body, stranger)
        assert client.state.last_contact == before, "a stranger's word is no sign of the server"
        assert await post(uri, body, notifying) == 204
        assert home.limit_w == 1500


async def test_a_poll_that_a_notification_overtook_undoes_nothing(
    home: Home, context: ssl.SSLContext, notifying: ssl.SSLContext
) -> None:
    utility = home.utility()
    event = control("E1", int(time.time()) - 1, 600)
    async with serving(utility, context), home.client(utility.base + "/dcap"):
        await utility.settled()
        hold = utility.holds["GET " + LIST] = Hold()
        await hold.caught.wait()  # the answer without the event is on its way
        utility.append(LIST, event)
        assert await utility.notify(event, notifying) == 204
        assert home.limit_w == 1500
        hold.go.set()
        await _polled(utility, notifying)
        assert home.limit_w == 1500
        hold = utility.holds["GET " + LIST] = Hold()
        await hold.caught.wait()  # the answer with the event running is on its way
        ended = replace(
            event,
            event_status=res.EventStatus(
                current_status=2, date_time=int(time.time()), potentially_superseded=False
            ),
        )
        utility.change(LIST, der_control=(marker(), ended))
        listed = res.DERControlList(all=2, results=2, der_control=(marker(), ended))
        assert await utility.notify(listed, notifying) == 204
        assert home.limit_w is None
        hold.go.set()
        await _polled(utility, notifying)
    assert [c for s, c in utility.codes if s == "E1"] == [1, 2, 6]
    assert home.limit_w is None


async def _polled(utility: Utility, notifying: ssl.SSLContext) -> None:
    """Have the list read twice more; a notification without content asks for that at once."""
    for _ in range(2):
        wanted = utility.asked.count("GET " + LIST) + 1
        assert await utility.notify(None, notifying) == 204
        await utility.until(partial(_asked, utility, wanted))


def _asked(utility: Utility, times: int) -> bool:
    return utility.asked.count("GET " + LIST) >= times


async def test_nothing_is_missed_between_reading_and_subscribing(
    home: Home, context: ssl.SSLContext
) -> None:
    utility = home.utility(poll_s=900)
    hold = utility.holds["POST /edev/1/sub"] = Hold()
    async with serving(utility, context), home.client(utility.base + "/dcap"):
        await hold.caught.wait()
        await utility.until(lambda: "GET " + LIST in utility.asked)
        utility.append(LIST, control("E1", int(time.time()) - 1, 600))
        hold.go.set()
        await home.until(lambda: home.limit_w == 1500)


async def test_too_early_a_notification_is_put_off_and_not_disowned(
    home: Home, context: ssl.SSLContext, notifying: ssl.SSLContext
) -> None:
    utility = home.utility(poll_s=900)
    async with serving(utility, context), home.client(utility.base + "/dcap"):
        await utility.settled()
        uri = utility.posted("/edev/1/sub")[0].notification_uri
    body = notification(utility, marker(), control("E1", int(time.time()) - 1, 600))
    early = utility.holds["GET /edev/1/rg"] = Hold()
    looking = utility.holds["GET /edev/1/sub"] = Hold()
    port = int(uri.rsplit(":", 1)[1].split("/")[0])
    async with serving(utility, context):
        listen = home.listen(port)
        async with home.client(utility.base + "/dcap", listen=listen):
            await early.caught.wait()
            assert await post(uri, body, notifying) == 503, "the PIN is not checked yet"
            early.go.set()
            await looking.caught.wait()
            assert await post(uri, body, notifying) == 503, "the subscriptions are not known yet"
            looking.go.set()
            await utility.until(lambda: utility.asked.count("GET " + LIST) >= 4)
            assert await post(uri, body, notifying) == 204
            assert home.limit_w == 1500
    assert len(utility.posted("/edev/1/sub")) == 1, "the subscription stood all the time"
