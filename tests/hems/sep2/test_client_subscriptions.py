"""Subscriptions over a real line: renewed, distrusted, ended, refused; all that is notified."""

import ssl
import time
from dataclasses import replace
from functools import partial
from typing import Final

import pytest

from certs.pki import Pki
from hems.sep2 import resources as res
from hems.sep2.xml import parse_any, serialize
from tests.hems.sep2.client_home import Home
from tests.hems.sep2.controls_made import control
from tests.hems.sep2.utility import Utility, marker, post, serving

pytestmark = [pytest.mark.requirement("PRO-2030.5"), pytest.mark.requirement("PRO-IP")]

LIST: Final = "/derp/1/derc"
SUBS: Final = "/edev/1/sub"
ORDINARY, CANCELLED, MOVED, REDEFINED, DELETED = range(5)


def subscriptions(utility: Utility) -> list[res.Subscription]:
    """Return those to the list of controls that stand at the server."""
    listed = utility.resources[SUBS]
    assert isinstance(listed, res.SubscriptionList)
    return [s for s in listed.subscription if s.subscribed_resource == LIST]


def whole(*controls: res.DERControl, count: int | None = None) -> res.DERControlList:
    """Return a list as a notification carries it; of `count` items in all."""
    number = len(controls)
    return res.DERControlList(
        all=number if count is None else count, results=number, der_control=controls
    )


async def notify(
    utility: Utility,
    context: ssl.SSLContext,
    resource: res.Resource | None,
    status: int = ORDINARY,
    moved_to: str | None = None,
) -> int:
    """Notify the home of its list of controls; returns the status it answers."""
    held = subscriptions(utility)[-1]
    body = res.Notification(
        subscribed_resource=LIST,
        subscription_uri=utility.base + (held.href or ""),
        status=status,
        resource=resource,
        new_resource_uri=moved_to,
    )
    return await post(held.notification_uri, serialize(body), context)


def _said(utility: Utility, answer: tuple[str, int]) -> bool:
    return answer in utility.codes


def polls(utility: Utility, path: str = LIST) -> int:
    return utility.asked.count(f"GET {path}")


def event(mrid: str, **changes: object) -> res.DERControl:
    made = control(mrid, int(time.time()) - 1, 600)
    return replace(made, **changes)  # type: ignore[arg-type]


async def test_a_subscription_that_the_server_dropped_is_asked_for_again(
    home: Home, context: ssl.SSLContext
) -> None:
    """As when it expired there: it is gone from the list and nothing was said."""
    utility = home.utility(poll_s=900)
    async with (
        serving(utility, context),
        home.client(utility.base + "/dcap", subscription_check_s=0.2),
    ):
        await utility.settled()
        for mrid in ("E1", "E2"):
            answer = (mrid, 1)
            utility.change(SUBS, subscription=(), all=0, results=0)
            utility.append(LIST, event(mrid))  # while nobody would have been told
            await utility.until(lambda: len(subscriptions(utility)) == 1)
            await utility.until(partial(_said, utility, answer))
    assert len(utility.posted(SUBS)) == 3
    assert home.alarms == []


async def test_notifications_that_stop_are_noticed_and_polls_take_their_place(
    home: Home, context: ssl.SSLContext, notifying: ssl.SSLContext
) -> None:
    utility = home.utility(poll_s=1)
    async with (
        serving(utility, context),
        home.client(utility.base + "/dcap", notice_grace_s=0.3),
    ):
        await utility.settled()
        first = subscriptions(utility)[0].href
        utility.append(LIST, event("E1"))
        assert await utility.notify(event("E1"), notifying) == 204
        assert home.limit_w == 1500
        utility.append(LIST, event("E2"))  # and nobody is told
        await utility.until(lambda: ("E2", 1) in utility.codes)
        await utility.until(lambda: f"DELETE {first}" in utility.asked)
        await utility.until(lambda: len(utility.posted(SUBS)) == 2)
        assert [s.href for s in subscriptions(utility)] != [first]
        before = polls(utility)
        await utility.until(lambda: polls(utility) >= before + 2)  # what it began with is read
        utility.append(LIST, event("E3"))  # nor of this, by the new one
        await utility.until(lambda: len(utility.posted(SUBS)) == 3)
        before = polls(utility)
        await utility.until(lambda: polls(utility) >= before + 2)
    assert len([a for a in home.alarms if "no notification told" in a]) == 1, home.alarms


async def test_a_notification_that_is_late_is_not_one_that_does_not_come(
    home: Home, context: ssl.SSLContext, notifying: ssl.SSLContext
) -> None:
    utility = home.utility(poll_s=1)
    async with (
        serving(utility, context),
        home.client(utility.base + "/dcap", notice_grace_s=1.5),
    ):
        await utility.settled()
        utility.append(LIST, event("E1"))
        await utility.until(lambda: ("E1", 1) in utility.codes)  # a poll was faster
        assert await notify(utility, notifying, whole(marker(), event("E1"))) == 204
        before = polls(utility, "/derp")
        await utility.until(lambda: polls(utility, "/derp") >= before + 3)
    assert len(utility.posted(SUBS)) == 1
    assert home.alarms == []


async def test_notifications_twice_and_in_the_wrong_order(
    home: Home, context: ssl.SSLContext, notifying: ssl.SSLContext
) -> None:
    utility = home.utility(poll_s=900)
    first, second = event("E1"), control("E2", int(time.time()) + 600, 600)
    async with serving(utility, context), home.client(utility.base + "/dcap"):
        await utility.settled()
        utility.append(LIST, first)
        older = whole(marker(), first)
        utility.append(LIST, second)
        newer = whole(marker(), first, second)
        for body in (newer, older, newer, older):
            assert await notify(utility, notifying, body) == 204
        assert home.limit_w == 1500
        await utility.until(lambda: ("E2", 1) in utility.codes)
        before = polls(utility)
        assert await notify(utility, notifying, older) == 204
        await utility.until(lambda: polls(utility) > before)
    said = sorted((s, c or 0) for s, c in utility.codes if s != "FF")
    assert said == [("E1", 1), ("E1", 2), ("E2", 1)]


async def test_a_cancel_is_not_undone_by_what_was_sent_before_it(
    home: Home, context: ssl.SSLContext, notifying: ssl.SSLContext
) -> None:
    utility = home.utility(poll_s=900)
    running = event("E1")
    status = res.EventStatus(
        current_status=2, date_time=int(time.time()), potentially_superseded=False
    )
    async with serving(utility, context), home.client(utility.base + "/dcap"):
        await utility.settled()
        utility.append(LIST, running)
        assert await notify(utility, notifying, whole(marker(), running)) == 204
        assert home.limit_w == 1500
        cancelled = replace(running, event_status=status)
        utility.change(LIST, der_control=(marker(), cancelled))
        for body in (cancelled, running):
            assert await notify(utility, notifying, whole(marker(), body)) == 204
        assert home.limit_w is None
    assert [c for s, c in utility.codes if s == "E1"][:2] == [1, 2]


async def test_what_is_deleted_is_found_gone_by_the_servers_own_word(
    home: Home, context: ssl.SSLContext, notifying: ssl.SSLContext
) -> None:
    utility = home.utility(poll_s=900)
    async with serving(utility, context), home.client(utility.base + "/dcap"):
        await utility.settled()
        utility.append(LIST, event("E1"))
        assert await notify(utility, notifying, whole(marker(), event("E1"))) == 204
        assert home.limit_w == 1500
        utility.change(LIST, der_control=(marker(),), all=1)
        assert await notify(utility, notifying, whole(marker())) == 204
        await home.until(lambda: home.limit_w is None)


@pytest.mark.parametrize("status", [CANCELLED, REDEFINED])
async def test_a_subscription_that_the_server_cancels_is_made_anew(
    home: Home, context: ssl.SSLContext, notifying: ssl.SSLContext, status: int
) -> None:
    utility = home.utility(poll_s=900)
    async with serving(utility, context), home.client(utility.base + "/dcap"):
        await utility.settled()
        uri = subscriptions(utility)[0].notification_uri
        utility.append(LIST, event("E1"))
        body = res.Notification(
            subscribed_resource=LIST,
            subscription_uri=utility.base + (subscriptions(utility)[0].href or ""),
            status=status,
        )
        utility.change(SUBS, subscription=(), all=0, results=0)
        assert await post(uri, serialize(body), notifying) == 204
        await home.until(lambda: home.limit_w == 1500)  # the list is read at once
        await utility.until(lambda: len(subscriptions(utility)) == 1)
        assert await post(uri, serialize(body), notifying) == 404, "that one is over"
        assert await notify(utility, notifying, event("E1")) == 204


@pytest.mark.parametrize("status", [MOVED, DELETED])
async def test_a_resource_that_moved_or_went_is_looked_for_anew(
    home: Home, context: ssl.SSLContext, notifying: ssl.SSLContext, status: int
) -> None:
    utility = home.utility(poll_s=900)
    async with serving(utility, context), home.client(utility.base + "/dcap"):
        await utility.settled()
        before = subscriptions(utility)
        listed = utility.resources["/derp"]
        assert isinstance(listed, res.DERProgramList)
        moved = replace(
            listed.der_program[0], der_control_list_link=res.Link(href="/new/derc", all=2)
        )
        utility.resources["/new/derc"] = res.DERControlList(
            href="/new/derc",
            all=2,
            results=2,
            subscribable=1,
            der_control=(marker(), event("E1")),
        )
        del utility.resources[LIST]
        utility.change("/derp", der_program=(moved,))
        body = res.Notification(
            subscribed_resource=LIST,
            subscription_uri=utility.base + (before[0].href or ""),
            status=status,
            new_resource_uri="/new/derc" if status == MOVED else None,
        )
        assert await post(before[0].notification_uri, serialize(body), notifying) == 204
        await home.until(lambda: home.limit_w == 1500)
        await utility.until(
            lambda: any(s.subscribed_resource == "/new/derc" for s in utility.posted(SUBS))
        )


async def test_a_notification_of_a_part_has_the_rest_read(
    home: Home, context: ssl.SSLContext, notifying: ssl.SSLContext
) -> None:
    utility = home.utility(poll_s=900)
    events = [control(f"E{n}", int(time.time()) + 600 * (n + 1), 60) for n in range(3)]
    async with serving(utility, context), home.client(utility.base + "/dcap"):
        await utility.settled()
        for each in events:
            utility.append(LIST, each)
        assert await notify(utility, notifying, whole(events[0], count=4)) == 204
        await utility.until(lambda: {f"E{n}" for n in range(3)} <= {s for s, _ in utility.codes})
    assert len(utility.posted(SUBS)) == 1


async def test_a_notification_of_nothing_has_it_read(
    home: Home, context: ssl.SSLContext, notifying: ssl.SSLContext
) -> None:
    utility = home.utility(poll_s=900)
    async with serving(utility, context), home.client(utility.base + "/dcap"):
        await utility.settled()
        utility.append(LIST, event("E1"))
        assert await notify(utility, notifying, None) == 204
        await home.until(lambda: home.limit_w == 1500)


async def test_one_that_cannot_be_subscribed_to_keeps_no_other_from_it(
    home: Home, context: ssl.SSLContext
) -> None:
    """The first POST fails for a while, another is refused for good; the rest stands."""
    utility = home.utility(poll_s=900)
    utility.change("/derp", subscribable=1)
    utility.change("/edev", subscribable=1)
    utility.faults["POST " + SUBS] = [503, 403]
    async with serving(utility, context), home.client(utility.base + "/dcap"):
        await utility.until(lambda: len(utility.posted(SUBS)) == 2)
        wanted = {"/derp", "/edev", LIST}
        stand = {s.subscribed_resource for s in utility.posted(SUBS)}
        assert len(stand) == 2
        assert stand < wanted


async def test_a_changed_rate_holds_at_once_for_the_controls_too(
    home: Home, context: ssl.SSLContext, notifying: ssl.SSLContext
) -> None:
    """A list of controls has no poll rate of its own: that of its programme list holds."""
    utility = home.utility(poll_s=900)
    utility.change("/derp", subscribable=1)
    utility.change(LIST, subscribable=0)
    async with serving(utility, context), home.client(utility.base + "/dcap"):
        await utility.until(lambda: polls(utility) and utility.posted(SUBS))
        utility.change("/derp", poll_rate=1)
        before = polls(utility), polls(utility, "/edev/1/fsa")
        assert await utility.notify(None, notifying, of="/derp") == 204
        await utility.until(lambda: polls(utility) >= before[0] + 3)
        assert polls(utility, "/edev/1/fsa") == before[1], "its own rate is still 900 s"


async def test_renamed_all_the_way_up_to_the_device(home: Home, context: ssl.SSLContext) -> None:
    """Another software at the utility: only the entry point is where it was."""
    utility = home.utility(poll_s=1)
    utility.change("/derp", poll_rate=900)
    utility.change("/edev/1/fsa", poll_rate=900)
    utility.change("/edev", poll_rate=900)
    utility.change("/dcap", poll_rate=900)
    utility.change("/tm", poll_rate=900)
    utility.change("/dr", poll_rate=1)
    async with (
        serving(utility, context),
        home.client(utility.base + "/dcap", listen=None),
    ):
        await home.until(lambda: home.state == "connected")
        await utility.until(lambda: polls(utility, "/dr") >= 2)
        text = {path: serialize(resource) for path, resource in utility.resources.items()}
        kept = utility.resources["/dcap"]
        assert isinstance(kept, res.DeviceCapability)
        renamed = {}
        for path, resource in utility.resources.items():
            if path != "/dcap":
                renamed["/v2" + path] = _renamed(resource, text[path])
        utility.resources = {"/dcap": _renamed(kept, text["/dcap"]), **renamed}
        utility.append("/v2" + LIST, event("E1"))
        await home.until(lambda: home.limit_w == 1500)
    assert utility.asked.count("GET /v2/edev") == 1


def _renamed(resource: object, body: bytes) -> res.Resource:
    new = body.replace(b'href="/', b'href="/v2/')
    read = parse_any(new)
    assert type(read) is type(resource)
    return read


async def test_an_aggregators_list_serves_as_well_as_a_devices(
    home: Home, context: ssl.SSLContext, notifying: ssl.SSLContext, pki: Pki
) -> None:
    """The list of subscriptions is under whichever EndDevice the server gave one to."""
    del pki
    utility = home.utility(poll_s=900)
    utility.append(
        "/edev",
        res.EndDevice(
            href="/edev/2",
            lfdi="AB" * 20,
            sfdi=home.sfdi + 1,
            changed_time=0,
            subscription_list_link=res.Link(href=SUBS, all=0),
        ),
    )
    listed = utility.resources["/edev"]
    assert isinstance(listed, res.EndDeviceList)
    own = replace(listed.end_device[0], subscription_list_link=None)
    utility.change("/edev", end_device=(own, listed.end_device[1]))
    async with (
        serving(utility, context),
        home.client(utility.base + "/dcap", certificate="AB" * 20),
    ):
        await utility.settled()
        utility.append(LIST, event("E1"))
        assert await notify(utility, notifying, whole(marker(), event("E1"))) == 204
        assert home.limit_w == 1500
