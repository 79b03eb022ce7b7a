"""What a server offers, link by link: several lists, lost links, malformed ones."""

import ssl
import time
from dataclasses import replace
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hems.sep2 import resources as res
from hems.sep2.enddevice.offers import Paths, Programs
from tests.hems.sep2.client_home import Home
from tests.hems.sep2.controls_made import control, shed
from tests.hems.sep2.utility import Hold, Utility, serving
from tests.waiting import until

pytestmark = [pytest.mark.requirement("PRO-2030.5")]

DER = res.DERControl


def second_list(utility: Utility) -> None:
    """Offer a second DERProgramList, by a second FunctionSetAssignments."""
    utility.append(
        "/edev/1/fsa",
        res.FunctionSetAssignments(
            href="/edev/1/fsa/2",
            mrid="FB",
            time_link=res.Link(href="/tm"),
            der_program_list_link=res.Link(href="/derp2", all=1),
        ),
    )
    program = res.DERProgram(
        href="/derp2/1",
        mrid="A2",
        description="Two",
        primacy=2,
        der_control_list_link=res.Link(href="/derp2/1/derc", all=0),
    )
    utility.resources["/derp2"] = res.DERProgramList(
        href="/derp2", all=1, results=1, poll_rate=1, der_program=(program,)
    )
    utility.resources["/derp2/1/derc"] = res.DERControlList(href="/derp2/1/derc", all=0, results=0)


def ended(utility: Utility, mrid: str) -> bool:
    return (mrid, 6) in utility.codes


async def test_after_a_restart_one_list_ends_no_event_of_another(
    home: Home, context: ssl.SSLContext
) -> None:
    utility = home.utility()
    second_list(utility)
    utility.append("/derp2/1/derc", control("E9", int(time.time()) - 5, 600))
    async with serving(utility, context):
        async with home.client(utility.base + "/dcap"):
            await utility.until(lambda: utility.codes == [("E9", 1), ("E9", 2)])
        hold = utility.holds["GET /derp2"] = Hold()
        async with home.client(utility.base + "/dcap"):
            await hold.caught.wait()
            reads = utility.asked.count("GET /derp/1/derc")
            await utility.until(lambda: utility.asked.count("GET /derp/1/derc") > reads + 1)
            hold.go.set()
            reads = utility.asked.count("GET /derp2/1/derc")
            await utility.until(lambda: utility.asked.count("GET /derp2/1/derc") > reads + 1)
            assert home.limit_w == 1500
    assert utility.codes == [("E9", 1), ("E9", 2)]


async def test_what_was_withdrawn_while_the_home_was_off_ends(
    home: Home, context: ssl.SSLContext
) -> None:
    utility = home.utility()
    utility.append("/derp/1/derc", control("E1", int(time.time()) - 5, 600))
    async with serving(utility, context):
        async with home.client(utility.base + "/dcap"):
            await utility.until(lambda: len(utility.codes) == 2)
        assignments = utility.resources["/edev/1/fsa"]
        assert isinstance(assignments, res.FunctionSetAssignmentsList)
        only = replace(assignments.function_set_assignments[0], der_program_list_link=None)
        utility.change("/edev/1/fsa", function_set_assignments=(only,))
        async with home.client(utility.base + "/dcap"):
            await utility.until(partial(ended, utility, "E1"))
            assert home.limit_w is None


async def test_a_programme_that_loses_its_list_loses_its_events(
    home: Home, context: ssl.SSLContext
) -> None:
    utility = home.utility()
    utility.append("/derp/1/derc", control("E1", int(time.time()) - 5, 600))
    utility.append("/dr/1/edc", shed("E2", int(time.time()) - 5, 600, 2000))
    async with serving(utility, context), home.client(utility.base + "/dcap"):
        await utility.until(lambda: len(utility.codes) == 4)
        programs, shedding = utility.resources["/derp"], utility.resources["/dr"]
        assert isinstance(programs, res.DERProgramList)
        assert isinstance(shedding, res.DemandResponseProgramList)
        less = replace(programs.der_program[0], der_control_list_link=None)
        utility.change("/derp", der_program=(less,))
        fewer = replace(shedding.demand_response_program[0], end_device_control_list_link=None)
        utility.change("/dr", demand_response_program=(fewer,))
        await utility.until(lambda: ended(utility, "E1") and ended(utility, "E2"))
    assert not home.schedules[-1][1].active


async def test_a_malformed_link_is_told_once_and_the_rest_goes_on(
    home: Home, context: ssl.SSLContext
) -> None:
    utility = home.utility()
    programs = utility.resources["/derp"]
    assert isinstance(programs, res.DERProgramList)
    bad = replace(
        programs.der_program[0],
        mrid="A7",
        der_control_list_link=res.Link(href="http://[x", all=0),
        default_der_control_link=None,
    )
    utility.append("/derp", bad)
    utility.append(
        "/edev/1/sub",
        res.Subscription(
            href="/edev/1/sub/9",
            subscribed_resource="http://[x",
            encoding=0,
            level="+S1",
            limit=1,
            notification_uri="https://127.0.0.1:9/notify",
        ),
    )
    utility.append("/derp/1/derc", control("E1", int(time.time()) - 5, 600))
    async with serving(utility, context), home.client(utility.base + "/dcap"):
        await home.until(lambda: home.limit_w == 1500)
        await utility.until(lambda: utility.posted("/edev/1/sub"))
        reads = utility.asked.count("GET /derp")
        await utility.until(lambda: utility.asked.count("GET /derp") > reads + 2)
    assert len([a for a in home.alarms if "http://[x" in a]) == 1


def test_what_is_offered_is_known_once_every_list_was_read() -> None:
    programs = Programs()
    programs.listed(DER, "/a", frozenset({"A"}), whole=True)
    assert programs.settled(DER) is None, "what there is at all is not known"
    programs.offer(DER, frozenset({"/a", "/b"}))
    assert programs.settled(DER) is None
    programs.listed(DER, "/b", frozenset({"B"}), whole=True)
    assert programs.settled(DER) == frozenset({"A", "B"})
    assert programs.settled(DER) is None, "no news"
    programs.listed(DER, "/b", frozenset({"C"}), whole=False)
    assert programs.settled(DER) == frozenset({"A", "B", "C"})
    programs.offer(DER, frozenset({"/a"}))
    assert programs.settled(DER) == frozenset({"A"})
    programs.offer(DER, frozenset())
    assert programs.settled(DER) == frozenset()
    assert programs.settled(res.EndDeviceControl) is None


def test_a_list_that_cannot_be_read_whole_after_a_start_settles_nothing() -> None:
    programs = Programs()
    programs.offer(DER, frozenset({"/a"}))
    programs.listed(DER, "/a", frozenset({"A"}), whole=False)
    assert programs.settled(DER) is None


def test_what_is_offered_beside_the_illegible_counts_but_settles_nothing() -> None:
    programs = Programs()
    programs.offer_also(DER, ["/a"])
    programs.listed(DER, "/a", frozenset({"A"}), whole=True)
    assert programs.lists == {"/a"}
    assert programs.settled(DER) is None
    programs.offer(DER, ["/b"])
    assert programs.lists == {"/b"}, "now the whole of it was legible"


def test_who_joins_after_a_list_was_read_has_missed_it() -> None:
    paths = Paths()
    assert not paths.missed({"/l": ["one"]}), "it was not read at all yet"
    paths.told("/l", ["one"])
    assert not paths.missed({"/l": ["one"]})
    assert paths.missed({"/l": ["one", "two"], "/m": ["two"]}) == ["/l"]
    paths.told("/l", ["one", "two"])
    paths.forget("one")
    assert paths.missed({"/l": ["one", "two"]}) == ["/l"]
    assert not paths.missed({"/l": ["two"]})


LINKS = st.dictionaries(st.sampled_from("abcdef"), st.sets(st.sampled_from("abcdef")), max_size=6)


@given(LINKS, st.sampled_from("abcdef"))
def test_the_roots_of_a_place_are_all_from_which_it_can_be_reached(
    links: dict[str, set[str]], place: str
) -> None:
    paths = Paths()
    for href, children in links.items():
        paths.lead(f"/{href}", [f"/{child}" for child in children])

    def reached(start: str) -> set[str]:
        found: set[str] = set()
        ahead = [start]
        while ahead:
            at = ahead.pop()
            if at not in found:
                found.add(at)
                ahead += links.get(at, set())
        return found

    assert paths.roots(f"/{place}") == {f"/{p}" for p in "abcdef" if place in reached(p)}


async def test_a_device_made_at_a_place_that_cannot_be_read_is_not_made_twice(
    home: Home, context: ssl.SSLContext
) -> None:
    """As of a server behind a proxy, whose Location names the host that it thinks it is."""
    utility = home.utility(poll_s=900)
    device = utility.resources["/edev"]
    assert isinstance(device, res.EndDeviceList)
    utility.change("/edev", end_device=(), all=0)
    utility.locations["/edev"] = "http://10.0.0.7:8080/edev/1"
    async with serving(utility, context), home.client(utility.base + "/dcap", listen=None):
        await home.until(lambda: home.state == "connected")
        await utility.until(lambda: "GET /derp/1/derc" in utility.asked)
    assert len(utility.posted("/edev")) == 1


def test_what_nothing_leads_to_any_more_is_let_go_of() -> None:
    paths = Paths()
    for name in range(100):
        paths.lead(f"/derp{name}", [f"/derc{name}"])
        paths.told(f"/derc{name}", ["one"])
        paths.retain([f"/derp{name}"])
    assert paths.roots("/derc99") == {"/derc99", "/derp99"}
    assert paths.missed({"/derc99": ["two"]}) == ["/derc99"]
    assert paths.roots("/derc98") == {"/derc98"}
    assert paths.missed({"/derc98": ["two"]}) == [], "as if it had never been read"


async def test_events_follow_a_changed_primacy_before_they_are_read_again(
    home: Home, context: ssl.SSLContext
) -> None:
    utility = home.utility()
    second_list(utility)
    began = int(time.time()) - 5
    utility.append("/derp/1/derc", control("E1", began, 600, limit_w=3000))
    utility.append("/derp2/1/derc", control("E2", began, 600, limit_w=2000))
    async with serving(utility, context), home.client(utility.base + "/dcap") as client:
        await home.until(lambda: home.limit_w == 3000.0)
        await utility.until(lambda: ("E2", 1) in utility.codes)
        utility.faults["GET /derp2/1/derc"] = [503] * 1000  # from now on it cannot be read
        polls = utility.asked.count("GET /derp2/1/derc")
        await utility.until(lambda: utility.asked.count("GET /derp2/1/derc") > polls)
        listed = utility.resources["/derp2"]
        assert isinstance(listed, res.DERProgramList)
        utility.change("/derp2", der_program=(replace(listed.der_program[0], primacy=0),))

        async def primacy() -> int:
            events = {e.event.mrid: e.event for e in client.engine.events}
            return events["E2"].program.primacy

        await until(primacy, lambda is_now: is_now == 0, 8.0, "the changed primacy is known")
