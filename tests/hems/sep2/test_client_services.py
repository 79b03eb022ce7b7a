"""The client against a scripted utility: notifications, mirror, DER, faults of the server."""

import ssl
import time
from functools import partial
from pathlib import Path

import pytest

from certs.pki import init_pki
from certs.tls import server_context
from hems.sep2 import resources as res
from hems.sep2.client import ListenSettings
from hems.sep2.enddevice.readings import MirrorSpec, Sample
from hems.sep2.enddevice.reports import DerReport, Report
from hems.sep2.errors import TransientError
from hems.sep2.xml import serialize
from tests.hems.sep2.client_home import METER, MODE, Home
from tests.hems.sep2.controls_made import control
from tests.hems.sep2.utility import MARKER, Utility, marker, post, serving

pytestmark = [pytest.mark.requirement("PRO-2030.5"), pytest.mark.requirement("PRO-IP")]


async def test_a_notification_acts_at_once(
    home: Home, context: ssl.SSLContext, notifying: ssl.SSLContext
) -> None:
    utility = home.utility(poll_s=900)
    async with serving(utility, context), home.client(utility.base + "/dcap"):
        await utility.settled()
        gets = utility.asked.count("GET /derp/1/derc")
        event = control("E1", int(time.time()) - 1, 600)
        listed = res.DERControlList(all=2, results=2, der_control=(event, marker()))
        assert await utility.notify(listed, notifying) == 204
        assert home.limit_w == 1500
        assert utility.asked.count("GET /derp/1/derc") == gets, "the list came along"
        await utility.until(lambda: utility.codes == [(MARKER, 1), ("E1", 1), ("E1", 2)])
        utility.append("/derp/1/derc", event)
        utility.append(
            "/derp/1/derc", control("E2", int(time.time()) - 1, 600, creation=9, limit_w=1)
        )
        assert await utility.notify(None, notifying) == 204
        await home.until(lambda: home.limit_w == 1)
        assert utility.asked.count("GET /derp/1/derc") == gets + 1


async def test_what_is_no_notification_of_ours_is_refused(
    home: Home, context: ssl.SSLContext, notifying: ssl.SSLContext
) -> None:
    utility = home.utility(poll_s=900)
    async with serving(utility, context), home.client(utility.base + "/dcap"):
        await utility.until(lambda: utility.posted("/edev/1/sub"))
        uri = utility.posted("/edev/1/sub")[0].notification_uri
        stranger = res.Notification(
            subscribed_resource="/derp/1/derc", status=0, subscription_uri=utility.base + "/other"
        )
        assert await post(uri, serialize(stranger), notifying) == 404
        assert await post(uri, b"<Notification", notifying) == 400
        assert await post(uri, b"<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>", notifying) == 400
        assert await post(uri, b" " * (2 << 20), notifying) == 413
        assert await utility.notify(None, notifying) == 204


async def test_subscriptions_do_not_pile_up_over_restarts(
    home: Home, context: ssl.SSLContext
) -> None:
    utility = home.utility()
    async with serving(utility, context):
        for wanted in (1, 2, 3):
            made = partial(_made, utility, wanted)
            async with home.client(utility.base + "/dcap"):
                await utility.until(made)


def _made(utility: Utility, wanted: int) -> bool:
    """Whether so many subscriptions were asked for in all, and one of them stands."""
    standing = utility.resources["/edev/1/sub"]
    assert isinstance(standing, res.SubscriptionList)
    return len(utility.posted("/edev/1/sub")) == wanted and standing.all == 1


async def test_a_failing_function_set_stalls_no_other(home: Home, context: ssl.SSLContext) -> None:
    utility = home.utility()
    del utility.resources["/dr"]
    del utility.resources["/mup"]
    utility.faults["GET /tm"] = [500] * 100
    utility.append("/derp/1/derc", control("E1", int(time.time()) - 5, 600))
    async with serving(utility, context), home.client(utility.base + "/dcap"):
        await utility.until(lambda: utility.codes == [("E1", 1), ("E1", 2)])


async def test_comes_back_when_the_server_does(home: Home, context: ssl.SSLContext) -> None:
    utility = home.utility()
    async with serving(utility, context):
        port = int(utility.base.rsplit(":", 1)[1])
    async with home.client(utility.base + "/dcap"):
        await home.until(lambda: home.state == "unreachable")
        utility.append("/derp/1/derc", control("E1", int(time.time()) - 5, 600))
        async with serving(utility, context, port):
            await home.until(lambda: home.limit_w == 1500)
            await home.until(lambda: home.state == "connected")


@pytest.mark.requirement("TIME-SERVER")
async def test_runs_on_the_servers_clock_and_keeps_it(home: Home, context: ssl.SSLContext) -> None:
    utility = home.utility()
    utility.ahead_s = 5000.0
    utility.append("/derp/1/derc", control("E1", int(time.time() + 5000) - 5, 600))
    async with serving(utility, context), home.client(utility.base + "/dcap"):
        await home.until(lambda: home.limit_w == 1500)
        active = home.schedules[-1][1].active[MODE]
        assert active.start == pytest.approx(time.time() - 5, abs=3)
    assert home.ledger.offsets["utility"] == pytest.approx(5000, abs=1.1)


async def test_mirrors_readings_in_one_usage_point_over_restarts(
    home: Home, context: ssl.SSLContext
) -> None:
    utility = home.utility()
    spec = MirrorSpec("3A", "home", [METER], post_s=1)
    now = int(time.time())
    async with serving(utility, context):
        for run in (1, 2):
            async with home.client(utility.base + "/dcap", mirrors=[spec]) as client:
                client.add_sample(Sample("5E", now + run, 1, 1234.4))
                await utility.until(partial(_mirrored, utility, run))
    (point,) = utility.posted("/mup")
    assert point.device_lfdi == home.lfdi
    (series,) = point.mirror_meter_reading
    assert series.reading_type.uom == 38
    posts = [r for _, _p, r in utility.got if isinstance(r, res.MirrorMeterReading)]
    readings = [r.mirror_reading_set[0].reading[0] for r in posts]
    assert [r.value for r in readings] == [1234, 1234]
    assert readings[0].time_period is not None
    assert abs(readings[0].time_period.start - now - 1) <= 1


def _mirrored(utility: Utility, wanted: int) -> bool:
    return sum(1 for _, path, _r in utility.got if path.startswith("/mup/")) == wanted


async def test_tells_about_its_der_once(home: Home, context: ssl.SSLContext) -> None:
    utility = home.utility()
    now = int(time.time())
    parted = res.ConnectStatusType(date_time=now, value=0)
    report = Report(DerReport(status=res.DERStatus(reading_time=now)))
    later = Report(DerReport(status=res.DERStatus(reading_time=now, gen_connect_status=parted)))
    async with serving(utility, context), home.client(utility.base + "/dcap") as client:
        client.publish(report)
        await utility.until(lambda: [p for m, p, _ in utility.got if m == "PUT"])
        client.publish(report)
        client.publish(later)
        await utility.until(lambda: len([p for m, p, _ in utility.got if m == "PUT"]) == 2)
    assert {p for m, p, _ in utility.got if m == "PUT"} == {"/edev/1/der/1/ders"}


async def test_opting_out_reaches_the_utility(home: Home, context: ssl.SSLContext) -> None:
    utility = home.utility()
    utility.append("/derp/1/derc", control("E1", int(time.time()) - 5, 600, required=3))
    async with serving(utility, context), home.client(utility.base + "/dcap") as client:
        await utility.until(lambda: len(utility.codes) == 2)
        await client.engine.opt_out("E1")
        assert home.limit_w is None
        await utility.until(lambda: ("E1", 4) in utility.codes)


def test_listening_everywhere_needs_a_name_for_the_utility() -> None:
    with pytest.raises(ValueError, match="public_host"):
        ListenSettings("0.0.0.0")  # noqa: S104 - refused
    assert ListenSettings("0.0.0.0", public_host="home.example").port == 0  # noqa: S104


async def test_a_client_without_a_server_puts_notifications_off(home: Home) -> None:
    client = home.make("https://127.0.0.1:9/dcap")
    with pytest.raises(TransientError, match="not found its server yet"):
        await client.handle_notification(b"", None)


async def test_a_server_of_another_ca_is_refused(home: Home, tmp_path: Path) -> None:
    other = init_pki(tmp_path / "other")
    strange = server_context(other.identity("utility"), other.trust)
    utility = home.utility()
    async with serving(utility, strange), home.client(utility.base + "/dcap"):
        await home.until(lambda: home.state == "refused")
        assert "127.0.0.1" in home.states[-1].detail
    assert not utility.asked


async def test_a_taken_listening_port_leaves_polling(home: Home, context: ssl.SSLContext) -> None:
    utility = home.utility()
    async with serving(utility, context):
        port = int(utility.base.rsplit(":", 1)[1])
        listen = ListenSettings("127.0.0.1", port)
        async with home.client(utility.base + "/dcap", listen=listen):
            await home.until(lambda: home.state == "connected")
    assert [a for a in home.alarms if str(port) in a]
