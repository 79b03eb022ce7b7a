"""The fleet through the operator's door: groups, sites, lives of hubs, papers and histories."""

from pathlib import Path

import pytest

from hems.headend.errors import ForbiddenError
from hems.headend.fleet.access import ALL, Access
from hems.headend.fleet.records import Actor, Role
from hems.headend.modes import Edition
from tests.hems.headend.fleet.conftest import (
    KIND,
    START,
    Desk,
    TestClock,
    lfdi_of,
    open_desk,
    record,
)


async def test_groups_sites_and_where_a_home_is(desk: Desk) -> None:
    await desk.grid()
    hub = await desk.enrolled()
    told = await desk.good("GET", f"/fleet/hubs/{hub}")
    assert told["groups"] == ["site-1", "tx-1", "feeder-1", "system"]
    assert (await desk.good("GET", "/fleet/groups/tx-1"))["above"] == ["feeder-1", "system"]
    roots = await desk.good("GET", "/fleet/groups?parent=")
    assert [each["id"] for each in roots["groups"]] == ["system"]
    under = await desk.good("GET", "/fleet/sites?group=feeder-1")
    assert [each["id"] for each in under["sites"]] == ["site-1", "site-2"]

    # The site goes over to the other transformer, and its hub with it.
    await desk.good("PUT", "/fleet/sites/site-1", {"group": "tx-2", "reason": "switched over"})
    assert desk.fleet.memory.groups_of(lfdi_of(1)) == ("site-1", "tx-2", "feeder-1", "system")
    history = (await desk.good("GET", f"/fleet/hubs/{hub}/history"))["changes"]
    assert (history[0]["before"], history[0]["after"]) == ("tx-1", "tx-2")
    assert history[0]["why"] == "switched over"


async def test_free_groups(desk: Desk) -> None:
    await desk.grid()
    await desk.operating()
    await desk.good("PUT", "/fleet/groups/pool", {"kind": "free"})
    await desk.good("PUT", "/fleet/groups/pool-a", {"kind": "free", "parent": "pool"})
    await desk.good("PUT", "/fleet/groups/pool-a/members", {"sites": ["site-1", "site-1"]})
    memory = desk.fleet.memory
    assert memory.groups_of(lfdi_of(1))[-2:] == ("pool-a", "pool")
    assert list(memory.homes_in("pool")) == [lfdi_of(1)]
    assert list(memory.homes_in("site-1")) == [lfdi_of(1)]
    assert list(memory.homes_in("tx-2")) == []
    found = await desk.good("GET", "/fleet/hubs?group=pool")
    assert [each["lfdi"] for each in found["hubs"]] == [lfdi_of(1)]
    assert "no site 'nowhere'" in await desk.bad(
        404, "PUT", "/fleet/groups/pool-a/members", {"sites": ["nowhere"]}
    )
    assert "of the topology" in await desk.bad(
        409, "PUT", "/fleet/groups/tx-1/members", {"sites": ["site-1"]}
    )
    assert "must stay free" in await desk.bad(
        422, "PUT", "/fleet/groups/pool-a", {"kind": "feeder", "parent": "system"}
    )
    await desk.good("DELETE", "/fleet/groups/pool-a")
    assert memory.groups_of(lfdi_of(1)) == ("site-1", "tx-1", "feeder-1", "system")


@pytest.mark.parametrize(
    ("name", "wish", "status", "said"),
    [
        ("tx-3", {"kind": "transformer", "parent": "nowhere"}, 422, "'nowhere'"),
        ("tx-3", {"kind": "feeder", "parent": "tx-1"}, 422, "cannot stand under"),
        ("tx-3", {"kind": "site", "parent": "tx-1"}, 422, "as a site"),
        ("site-1", {"kind": "transformer"}, 422, "a site has that id"),
        ("tx-1", {"kind": "free"}, 422, "cannot become free"),
        ("feeder-1", {"kind": "transformer", "parent": "system"}, 422, "cannot stand under"),
        ("a b", {"kind": "feeder"}, 400, "no id"),
        ("tx-3", {"kind": "moon"}, 422, "kind"),
        ("tx-3", {"kind": "feeder", "name": "a\x1b[2J"}, 422, "name"),
        ("tx-3", {"kind": "feeder", "place": {"lat": 91, "lon": 0}}, 422, "place.lat"),
        ("tx-3", {"kind": "feeder", "colour": "red"}, 422, "colour"),
    ],
)
async def test_a_group_that_makes_no_tree(
    desk: Desk, name: str, wish: object, status: int, said: str
) -> None:
    await desk.grid()
    before = await desk.good("GET", "/fleet/groups")
    assert said in await desk.bad(status, "PUT", f"/fleet/groups/{name}", wish)
    assert await desk.good("GET", "/fleet/groups") == before


async def test_what_is_in_use_is_not_dropped(desk: Desk) -> None:
    await desk.grid()
    await desk.enrolled()
    await desk.good("PUT", "/fleet/groups/feeder-used", {"kind": "feeder"})
    assert "Peak Saver" in await desk.bad(409, "DELETE", "/fleet/groups/feeder-used")
    assert "under it" in await desk.bad(409, "DELETE", "/fleet/groups/feeder-1")
    assert "has 1 sites" in await desk.bad(409, "DELETE", "/fleet/groups/tx-1")
    assert "history stays" in await desk.bad(409, "DELETE", "/fleet/sites/site-1")
    await desk.good("DELETE", "/fleet/sites/site-2")
    await desk.good("DELETE", "/fleet/groups/tx-2")
    assert "no group" in await desk.bad(404, "GET", "/fleet/groups/tx-2")
    assert "no site" in await desk.bad(404, "GET", "/fleet/sites/site-2")


@pytest.mark.requirement("L3-LIFECYCLE")
async def test_a_life_from_made_to_retired(desk: Desk) -> None:
    await desk.grid()
    memory, clock = desk.fleet.memory, desk.clock
    hub = (await desk.good("POST", "/fleet/hubs", {"kind": KIND, "serial": "00AB"}))["id"]
    assert hub == f"{KIND}-00ab"
    place = f"/fleet/hubs/{hub}"
    await desk.good("PUT", f"{place}/site", {"site": "site-1"})
    own = lfdi_of(7)
    await desk.book.register(own, 123455, Edition.CSIP_AUS, in_band=False)
    await desk.fleet.arrivals.identified(KIND, "00AB", own)
    assert memory.access(own, clock.now()) == Access.OWN

    await desk.good("POST", f"{place}/test-window", {"hours": 2})
    assert memory.access(own, clock.now()) == ALL
    clock.at += 7200
    assert memory.access(own, clock.now()) == Access.OWN

    assert "no commissioning test" in await desk.bad(
        409, "POST", f"{place}/state", {"to": "commissioned"}
    )
    failed = record(clock.now())
    failed["checks"][3]["passed"] = False  # type: ignore[index] # it is a list of dictionaries
    await desk.good("POST", f"{place}/commissioning", failed)
    clock.at += 1
    assert "not passed: readings" in await desk.bad(
        409, "POST", f"{place}/state", {"to": "commissioned"}
    )
    kept = await desk.good("POST", f"{place}/commissioning", record(clock.now()))
    assert (kept["passed"], kept["whole"], kept["site"]) == (True, True, "site-1")
    await desk.good("POST", f"{place}/state", {"to": "commissioned"})
    assert memory.access(own, clock.now()) == ALL

    assert "no licence" in await desk.bad(409, "POST", f"{place}/state", {"to": "operating"})
    until = clock.now() + 3600
    await desk.good("PUT", f"{place}/licence", {"number": "L-1", "valid_until": until})
    await desk.good("POST", f"{place}/state", {"to": "operating"})

    assert "reason" in await desk.bad(409, "POST", f"{place}/state", {"to": "quarantined"})
    await desk.good("POST", f"{place}/state", {"to": "quarantined", "reason": "odd traffic"})
    assert memory.access(own, clock.now()) == Access.OWN | Access.DEFAULTS
    await desk.good("POST", f"{place}/state", {"to": "operating", "reason": "a false alarm"})

    await desk.good("POST", f"{place}/state", {"to": "retired", "reason": "house sold"})
    assert memory.access(own, clock.now()) == Access.NOTHING
    assert desk.book.home(own) is None
    for state in ("made", "enrolled", "operating", "quarantined"):
        wish = {"to": state, "reason": "again"}
        assert "is retired" in await desk.bad(409, "POST", f"{place}/state", wish)
    assert "retired" in await desk.bad(409, "PUT", f"{place}/policy", {})
    for ask in (
        desk.fleet.arrivals.check_enrols(KIND, "00AB"),
        desk.fleet.arrivals.identified(KIND, "00AB", lfdi_of(8)),
    ):
        with pytest.raises(ForbiddenError, match="retired"):
            await ask

    states = [
        each["after"]
        for each in (await desk.good("GET", f"{place}/history"))["changes"]
        if each["deed"] == "state"
    ]
    assert states == [
        "retired",
        "operating",
        "quarantined",
        "operating",
        "commissioned",
        "enrolled",
        "made",
    ]
    assert (await desk.good("GET", "/fleet"))["hubs"]["retired"] == 1


@pytest.mark.requirement("L3-LIFECYCLE")
async def test_only_engineers_change_the_fleet(desk: Desk) -> None:
    await desk.grid()
    hub = await desk.operating()
    before = await desk.good("GET", f"/fleet/hubs/{hub}")
    for role in (Role.DISPATCHER, Role.AUDITOR):
        desk.actor = Actor("Dora", role)
        for method, path, body in (
            ("PUT", "/fleet/groups/new", {"kind": "feeder"}),
            ("DELETE", "/fleet/groups/tx-1", None),
            ("PUT", "/fleet/sites/site-1", {"group": "tx-2"}),
            ("DELETE", "/fleet/sites/site-2", None),
            ("POST", "/fleet/hubs", {"lfdi": lfdi_of(9)}),
            ("POST", f"/fleet/hubs/{hub}/state", {"to": "quarantined", "reason": "x"}),
            ("POST", f"/fleet/hubs/{hub}/commissioning", record(START)),
            ("POST", f"/fleet/hubs/{hub}/replace", {"by": hub, "reason": "x"}),
            ("POST", f"/fleet/hubs/{hub}/test-window", {"hours": 1}),
            ("PUT", f"/fleet/hubs/{hub}/licence", {"number": None}),
            ("PUT", f"/fleet/hubs/{hub}/policy", {"largest_event_w": 1}),
            ("PUT", f"/fleet/hubs/{hub}/site", {"site": None}),
            ("POST", "/fleet/imports", {"name": "x.csv"}),
        ):
            assert "engineer" in await desk.bad(403, method, path, body), path
        assert await desk.good("GET", f"/fleet/hubs/{hub}") == before
        assert (await desk.good("GET", f"/fleet/hubs/{hub}/history"))["changes"]


@pytest.mark.requirement("L3-LIFECYCLE")
@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"witnessed_by": "  TINA  test "}, "cannot witness his own"),
        ({"witnessed_by": " "}, "must be named"),
        ({"at": START + 1}, "future"),
        ({"checks": [{"name": "identity", "passed": True}]}, "missing"),
        ({"checks": [{"name": "identity", "passed": True}] * 2}, "twice"),
        ({"checks": []}, "checks"),
        ({"document": "abc"}, "document"),
        ({"tested_by": "a\nb"}, "tested_by"),
    ],
)
async def test_what_is_no_record_of_a_witnessed_test(
    desk: Desk, other: dict[str, object], said: str
) -> None:
    await desk.grid()
    hub = await desk.enrolled()
    wish = record(START) | other
    assert said in await desk.bad(422, "POST", f"/fleet/hubs/{hub}/commissioning", wish)
    told = await desk.good("GET", f"/fleet/hubs/{hub}/commissioning")
    assert told == {"commissionings": []}


@pytest.mark.requirement("L3-LIFECYCLE")
async def test_a_hub_is_replaced(desk: Desk) -> None:
    await desk.grid()
    old = await desk.operating()
    await desk.book.register(lfdi_of(1), 123455, Edition.CSIP_AUS, in_band=False)
    await desk.good("PUT", f"/fleet/hubs/{old}/policy", {"largest_event_w": 3000})
    new = await desk.enrolled(2, None)
    now = desk.clock.now()
    assert "reason" in await desk.bad(
        409, "POST", f"/fleet/hubs/{old}/replace", {"by": new, "reason": " "}
    )
    done = await desk.good(
        "POST", f"/fleet/hubs/{lfdi_of(1)}/replace", {"by": new, "reason": "lightning"}
    )
    assert (done["old"]["state"], done["old"]["replaced_by"]) == ("retired", new)
    assert (done["new"]["state"], done["new"]["site"]) == ("enrolled", "site-1")
    assert done["new"]["licence"]["number"] == "L-1"
    assert done["new"]["largest_event_w"] == 3000
    assert done["new"]["groups"] == ["site-1", "tx-1", "feeder-1", "system"]
    memory = desk.fleet.memory
    assert memory.access(lfdi_of(1), now) == Access.NOTHING
    assert memory.access(lfdi_of(2), now) == Access.OWN
    assert desk.book.home(lfdi_of(1)) is None
    joined = (await desk.good("GET", f"/fleet/hubs/{new}/history"))["changes"]
    assert {each["hub"] for each in joined} == {old, new}
    assert [each["hub"] for each in joined].index(old) > 0  # latest first
    page = await desk.good("GET", f"/fleet/hubs/{new}/history?limit=2")
    rest = await desk.good("GET", f"/fleet/hubs/{new}/history?limit=1000&before={page['next']}")
    assert page["changes"] + rest["changes"] == joined

    # It has to pass its own test, and its identity never comes again.
    assert "no commissioning" in await desk.bad(
        409, "POST", f"/fleet/hubs/{new}/state", {"to": "commissioned"}
    )
    again = {"kind": KIND, "serial": "0003", "lfdi": lfdi_of(1)}
    assert "is, or was" in await desk.bad(409, "POST", "/fleet/hubs", again)
    assert "retired already" in await desk.bad(
        409, "POST", f"/fleet/hubs/{old}/replace", {"by": new, "reason": "again"}
    )
    third = await desk.operating(4, "site-2")
    assert "only one that is made or enrolled" in await desk.bad(
        409, "POST", f"/fleet/hubs/{new}/replace", {"by": third, "reason": "mixed up"}
    )


@pytest.mark.requirement("L3-IDENTITY")
async def test_licences_end_and_identities_are_revoked(desk: Desk) -> None:
    await desk.grid()
    hub, other = await desk.operating(1), await desk.operating(2, "site-2")
    until = desk.clock.now() + 60
    await desk.good("PUT", f"/fleet/hubs/{hub}/licence", {"number": "L", "valid_until": until})
    arrivals = desk.fleet.arrivals
    assert await arrivals.stop() == []
    desk.clock.at += 60
    assert [each.id for each in await arrivals.stop()] == [hub]
    assert await arrivals.stop() == []
    told = await desk.good("GET", f"/fleet/hubs/{hub}/history")
    assert "licence L does not hold" in told["changes"][0]["why"]
    assert told["changes"][0]["role"] == "system"
    wish = {"to": "operating", "reason": "paid"}
    assert "does not hold" in await desk.bad(409, "POST", f"/fleet/hubs/{hub}/state", wish)
    await desk.good("PUT", f"/fleet/hubs/{hub}/licence", {"number": "L2"})
    await desk.good("POST", f"/fleet/hubs/{hub}/state", wish)

    desk.revoked.add(lfdi_of(2))
    assert [each.id for each in await arrivals.stop({lfdi_of(2)})] == [other]
    now = desk.clock.now()
    assert desk.fleet.memory.access(lfdi_of(2), now) == Access.OWN | Access.DEFAULTS
    assert "revoked" in await desk.bad(409, "POST", f"/fleet/hubs/{other}/state", wish)


@pytest.mark.requirement("L3-IDENTITY")
async def test_identities_are_renewed_and_given_anew(desk: Desk) -> None:
    await desk.grid()
    hub = await desk.operating()
    arrivals, memory, now = desk.fleet.arrivals, desk.fleet.memory, desk.clock.now()
    assert await arrivals.renewed(lfdi_of(50), lfdi_of(51)) is None
    for _ in range(2):  # told twice it is the same
        await arrivals.renewed(lfdi_of(1), lfdi_of(11))
        assert memory.access(lfdi_of(1), now) == memory.access(lfdi_of(11), now) == ALL
    await arrivals.superseded(lfdi_of(1))
    assert memory.access(lfdi_of(1), now) == Access.NOTHING
    assert memory.access(lfdi_of(11), now) == ALL
    assert list(memory.homes_in("system")) == [lfdi_of(11)]

    # Enrolled anew, by whoever has the hardware now: it is to be tested again.
    desk.clock.at += 10
    await arrivals.identified(KIND, "0001", lfdi_of(12))
    assert memory.access(lfdi_of(11), now) == Access.NOTHING
    assert memory.access(lfdi_of(12), desk.clock.now()) == Access.OWN
    told = await desk.good("GET", f"/fleet/hubs/{lfdi_of(1)}")
    assert (told["id"], told["state"], told["lfdi"]) == (hub, "enrolled", lfdi_of(12))
    assert "has no more" in await desk.bad(
        409, "POST", f"/fleet/hubs/{hub}/state", {"to": "commissioned"}
    )
    await desk.good("POST", f"/fleet/hubs/{hub}/commissioning", record(desk.clock.now()))
    await desk.good("POST", f"/fleet/hubs/{hub}/state", {"to": "commissioned"})


async def test_it_outlives_a_restart_and_other_workers_see_it(
    desk: Desk, database: Path | str, clock: TestClock
) -> None:
    await desk.grid()
    await desk.operating()
    other = await open_desk(database, clock)
    try:
        memory = other.fleet.memory
        assert memory.groups_of(lfdi_of(1)) == ("site-1", "tx-1", "feeder-1", "system")
        assert memory.access(lfdi_of(1), clock.now()) == ALL
        path = f"/fleet/hubs/{lfdi_of(1)}/state"
        await desk.good("POST", path, {"to": "quarantined", "reason": "odd"})
        await desk.good("PUT", "/fleet/groups/pool", {"kind": "free"})
        await desk.good("PUT", "/fleet/groups/pool/members", {"sites": ["site-1"]})
        await other.store.catch_up()
        assert memory.access(lfdi_of(1), clock.now()) == Access.OWN | Access.DEFAULTS
        assert memory.groups_of(lfdi_of(1))[-1] == "pool"
    finally:
        await other.store.close()


async def test_strangers_by_the_setting(desk: Desk) -> None:
    stranger = lfdi_of(99)
    await desk.fleet.arrivals.check_enrols(KIND, "99")
    assert await desk.fleet.arrivals.identified(KIND, "99", stranger) is None
    assert desk.fleet.memory.access(stranger, START) is None
    assert desk.fleet.access(stranger, START) == ALL


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/fleet/hubs/none", 404),
        ("GET", "/fleet/hubs/%00", 404),
        ("GET", "/fleet/hubs?state=lost", 400),
        ("GET", "/fleet/hubs?group=none", 404),
        ("GET", "/fleet/hubs?after=%00", 400),
        ("GET", "/fleet/hubs?limit=0", 400),
        ("GET", "/fleet/sites?limit=-1", 400),
        ("GET", "/fleet/groups?parent=none", 404),
        ("GET", "/fleet/groups/none/members", 404),
        ("GET", "/fleet/imports/none", 404),
    ],
)
async def test_what_is_asked_for_nonsense(desk: Desk, method: str, path: str, status: int) -> None:
    assert await desk.bad(status, method, path)


async def test_lists_in_pages(desk: Desk) -> None:
    await desk.grid()
    for number in range(1, 6):
        await desk.enrolled(number, "site-2")
    first = await desk.good("GET", "/fleet/hubs?limit=3&site=site-2")
    rest = await desk.good("GET", f"/fleet/hubs?limit=3&site=site-2&after={first['next']}")
    assert [len(first["hubs"]), len(rest["hubs"]), rest["next"]] == [3, 2, None]
    assert (await desk.good("GET", "/fleet/hubs?state=operating"))["hubs"] == []
    groups = await desk.good("GET", "/fleet/groups?limit=3")
    assert groups["next"] == "tx-1"
