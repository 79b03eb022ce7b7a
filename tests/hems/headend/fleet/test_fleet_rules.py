"""The fleet's pure rules: topology, access, life-cycle, tests, replacement, policy."""

from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from hems.headend.errors import ConflictError, DispatchError, ForbiddenError, RequestError
from hems.headend.fleet.access import ALL, Access, allowed, served
from hems.headend.fleet.commissioning import accept, flaw_of, seal_of, unchanged
from hems.headend.fleet.lifecycle import WAYS, Evidence, identify, move, must_stop, open_test
from hems.headend.fleet.needs import needed
from hems.headend.fleet.policy import CHECKS, IdentityPolicy, bars_event
from hems.headend.fleet.records import (
    Actor,
    Check,
    Commissioning,
    Group,
    GroupKind,
    Hub,
    HubPolicy,
    Licence,
    Role,
    State,
)
from hems.headend.fleet.replacement import take_place
from hems.headend.fleet.topology import MOST_DEPTH, Topology
from tests.examples import examples

NOW = 1_800_000_000.0
KIND = "1.3.6.1.4.1.32473.1"
POLICY = IdentityPolicy()
ENGINEER, SERVER = Actor("Erika", Role.ENGINEER), Actor("server", Role.SYSTEM)


def hub(state: State, **other: object) -> Hub:
    values = {"lfdi": "A" * 40, "kind": KIND, "serial": "00", "site": "s", "licence": Licence("L")}
    return replace(Hub("hub", state, NOW), **(values | other))  # type: ignore[arg-type] # a test's


def a_test_of(of: Hub, **other: object) -> Commissioning:
    record = Commissioning(
        "r",
        of.id,
        of.lfdi,
        of.site,
        "Tina",
        "Willi",
        tuple(Check(name, passed=True) for name in CHECKS),
        NOW - 10,
        "",
        "Erika",
        NOW - 5,
    )
    record = replace(record, **other)  # type: ignore[arg-type] # a test's
    return replace(record, seal=seal_of(record))


# Topology


def chain(kinds: Iterable[GroupKind]) -> list[Group]:
    groups: list[Group] = []
    for number, kind in enumerate(kinds):
        groups.append(Group(f"g{number}", "", kind, groups[-1].id if groups else ""))
    return groups


def test_all_levels_stand_under_each_other() -> None:
    levels = [kind for kind in GroupKind if kind not in {GroupKind.SITE, GroupKind.FREE}]
    topology = Topology(reversed(chain(levels)))
    assert topology.above("g5") == ("g5", "g4", "g3", "g2", "g1", "g0")
    assert topology.within("g5", "g0")
    assert not topology.within("g0", "g5")
    assert not topology.within("nowhere", "g0")
    assert set(topology.under("g4")) == {"g4", "g5"}


@pytest.mark.parametrize(
    ("groups", "said"),
    [
        ([Group("a", "", GroupKind.FREE, "a")], "above itself"),
        (
            [Group("a", "", GroupKind.FREE, "b"), Group("b", "", GroupKind.FREE, "a")],
            "above itself",
        ),
        (
            [
                Group("a", "", GroupKind.FREE, "b"),
                Group("b", "", GroupKind.FREE, "c"),
                Group("c", "", GroupKind.FREE, "b"),
            ],
            "deeper than",
        ),
        ([Group("a", "", GroupKind.FEEDER, "b")], "no group 'b'"),
        (chain([GroupKind.FEEDER, GroupKind.FEEDER]), "cannot stand under"),
        (chain([GroupKind.TRANSFORMER, GroupKind.SYSTEM]), "cannot stand under"),
        (chain([GroupKind.SYSTEM, GroupKind.FREE]), "cannot stand under"),
        (chain([GroupKind.FREE, GroupKind.FEEDER]), "cannot stand under"),
        (chain([GroupKind.SYSTEM, GroupKind.SITE]), "as a site"),
        (chain([GroupKind.FREE] * (MOST_DEPTH + 1)), "deeper than 16"),
    ],
)
def test_what_is_no_tree(groups: list[Group], said: str) -> None:
    with pytest.raises(DispatchError, match=said):
        Topology(groups)


def test_as_deep_as_may_be() -> None:
    topology = Topology(chain([GroupKind.FREE] * MOST_DEPTH))
    assert len(topology.above(f"g{MOST_DEPTH - 1}")) == MOST_DEPTH


@given(st.data())
def test_any_set_of_groups_is_a_tree_or_refused(data: st.DataObject) -> None:
    names = [f"g{number}" for number in range(data.draw(st.integers(1, 8)))]
    groups = [
        Group(
            name,
            "",
            data.draw(st.sampled_from([GroupKind.FREE, GroupKind.SYSTEM, GroupKind.FEEDER])),
            data.draw(st.sampled_from(["", *names])),
        )
        for name in names
    ]
    by_name = {group.id: group for group in groups}

    def slow_above(name: str) -> list[str] | None:
        found: list[str] = []
        while name:
            if name in found:
                return None
            found.append(name)
            name = by_name[name].parent
        return found

    paths = {name: slow_above(name) for name in names}
    try:
        topology = Topology(groups)
    except DispatchError:
        bad_kind = any(
            group.parent
            and (group.kind, by_name[group.parent].kind)
            not in {(GroupKind.FREE, GroupKind.FREE), (GroupKind.FEEDER, GroupKind.SYSTEM)}
            for group in groups
        )
        assert bad_kind or None in paths.values()
        return
    for name, path in paths.items():
        assert path is not None
        assert list(topology.above(name)) == path
        assert set(topology.under(name)) == {n for n, p in paths.items() if p and name in p}


# Access


@pytest.mark.parametrize(
    ("method", "path", "access"),
    [
        ("GET", "/dcap", Access.OWN),
        ("GET", "/tm", Access.OWN),
        ("GET", "/edev", Access.OWN),
        ("HEAD", "/edev/7/rg", Access.OWN),
        ("GET", "/edev/7/fsa", Access.OWN),
        ("GET", "/edev/7/sub", Access.EVENTS),
        ("POST", "/edev/7/sub", Access.EVENTS),
        ("GET", "/edev/7/frp/1", Access.EVENTS),
        ("POST", "/edev", Access.REPORTS),
        ("PUT", "/edev/7/der/1/ders", Access.REPORTS),
        ("POST", "/edev/7/lel", Access.REPORTS),
        ("POST", "/mup", Access.REPORTS),
        ("GET", "/derp/1/derc", Access.DEFAULTS),
        ("GET", "/drp", Access.DEFAULTS),
        ("GET", "/tp/1", Access.EVENTS),
        ("GET", "/msg", Access.EVENTS),
        ("POST", "/rsps/1/r", Access.EVENTS),
        ("DELETE", "", Access.REPORTS),
        ("GET", "nonsense", Access.OWN),
    ],
)
def test_what_a_request_needs(method: str, path: str, access: Access) -> None:
    assert needed(method, path) is access


@pytest.mark.requirement("L3-LIFECYCLE")
@pytest.mark.parametrize(
    ("state", "access"),
    [
        (State.MADE, Access.NOTHING),
        (State.ENROLLED, Access.OWN),
        (State.COMMISSIONED, ALL),
        (State.OPERATING, ALL),
        (State.QUARANTINED, Access.OWN | Access.DEFAULTS),
        (State.RETIRED, Access.NOTHING),
    ],
)
def test_what_each_state_is_served(state: State, access: Access) -> None:
    assert allowed(state) == access
    window = ALL if state is State.ENROLLED else access
    assert served(state, NOW + 1, NOW) == window
    assert served(state, NOW, NOW) == access


# Life-cycle

_LATER = {"made", "enrolled", "commissioned", "operating"}
EXPECTED = {
    ("made", "enrolled"),
    ("enrolled", "commissioned"),
    ("commissioned", "operating"),
    ("operating", "commissioned"),
    ("commissioned", "enrolled"),
    *((state, "quarantined") for state in _LATER),
    *(("quarantined", state) for state in _LATER),
    *((state, "retired") for state in (*_LATER, "quarantined")),
}


@pytest.mark.requirement("L3-LIFECYCLE")
def test_there_are_these_ways_and_no_others() -> None:
    assert {(str(a), str(b)) for a, b in WAYS} == EXPECTED
    for state in State:
        for to in State:
            start = hub(state, before=State.OPERATING if state is State.QUARANTINED else None)
            shown = Evidence(NOW, "why", a_test_of(start))
            good = (str(state), str(to)) in EXPECTED - {("quarantined", "made")} - {
                ("quarantined", "commissioned")
            }
            try:
                moved = move(start, to, ENGINEER, shown, POLICY)
            except ConflictError:
                assert not good, (state, to)
            else:
                assert good, (state, to)
                assert (moved.state, moved.since) == (to, NOW)


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.requirement("L3-LIFECYCLE")
def test_who_may(role: Role) -> None:
    for state, to in WAYS:
        start = hub(state, before=to if state is State.QUARANTINED else None)
        shown = Evidence(NOW, "why", a_test_of(start))
        server = to is State.QUARANTINED or (state, to) == (State.MADE, State.ENROLLED)
        may = role is Role.ENGINEER or (role is Role.SYSTEM and server)
        try:
            move(start, to, Actor("X", role), shown, POLICY)
        except ForbiddenError:
            assert not may, (state, to)
        else:
            assert may, (state, to)


E, C, RUN, Q = State.ENROLLED, State.COMMISSIONED, State.OPERATING, State.QUARANTINED
_HUB = hub(E)


@pytest.mark.requirement("L3-LIFECYCLE")
@pytest.mark.requirement("L3-IDENTITY")
@pytest.mark.parametrize(
    ("start", "to", "shown", "said"),
    [
        (hub(State.MADE, lfdi=""), E, Evidence(NOW), "no operational identity"),
        (hub(State.MADE), E, Evidence(NOW, revoked=True), "was revoked"),
        (hub(E), C, Evidence(NOW), "no commissioning test"),
        (hub(E, site=""), C, Evidence(NOW, "", a_test_of(_HUB)), "no site"),
        (hub(E, site="other"), C, Evidence(NOW, "", a_test_of(_HUB)), "at site s, not other"),
        (hub(E, identified_at=NOW), C, Evidence(NOW, "", a_test_of(_HUB)), "has no more"),
        (hub(E), C, Evidence(NOW, "", a_test_of(_HUB), revoked=True), "revoked"),
        (hub(E), C, Evidence(NOW, "", a_test_of(_HUB, hub="other")), "has no more"),
        (hub(E), C, Evidence(NOW + 91 * 86_400, "", a_test_of(_HUB)), "older than 90 days"),
        (hub(E), C, Evidence(NOW, "", a_test_of(_HUB, checks=())), "did not cover"),
        (hub(E), C, Evidence(NOW, "", replace(a_test_of(_HUB), tested_by="X")), "changed after"),
        (
            hub(E),
            C,
            Evidence(NOW, "", a_test_of(_HUB, checks=(Check("event", passed=False),))),
            "not passed: event",
        ),
        (hub(C, licence=None), RUN, Evidence(NOW, "", a_test_of(_HUB)), "no licence"),
        (
            hub(C, licence=Licence("L", NOW + 1)),
            RUN,
            Evidence(NOW, "", a_test_of(_HUB)),
            "hold now",
        ),
        (hub(C, licence=Licence("L", 0, NOW)), RUN, Evidence(NOW, "", a_test_of(_HUB)), "hold now"),
        (hub(C), RUN, Evidence(NOW, "", a_test_of(_HUB), revoked=True), "revoked"),
        (hub(C), E, Evidence(NOW, "  "), "reason"),
        (hub(RUN), Q, Evidence(NOW), "reason"),
        (hub(RUN), State.RETIRED, Evidence(NOW), "reason"),
        (hub(Q, before=E), C, Evidence(NOW, "x", a_test_of(_HUB)), "cannot become commissioned"),
        (hub(Q, before=RUN), C, Evidence(NOW, "x", a_test_of(_HUB)), "cannot become commissioned"),
        (hub(Q, before=State.MADE), E, Evidence(NOW, "x"), "cannot become enrolled"),
        (hub(Q, before=RUN), RUN, Evidence(NOW, "x", None), "no commissioning"),
        (hub(Q, before=RUN), RUN, Evidence(NOW, "x", a_test_of(_HUB), revoked=True), "revoked"),
    ],
)
def test_what_must_be_shown(start: Hub, to: State, shown: Evidence, said: str) -> None:
    with pytest.raises(ConflictError, match=said):
        move(start, to, ENGINEER, shown, POLICY)


def test_a_commissioned_hub_needs_no_fresh_test() -> None:
    late = NOW + 10 * 365 * 86_400
    shown = Evidence(late, "all clear", a_test_of(_HUB))
    assert move(hub(C), RUN, ENGINEER, shown, POLICY).state is RUN
    back = move(hub(Q, before=RUN), RUN, ENGINEER, shown, POLICY)
    assert (back.state, back.before) == (RUN, None)


@pytest.mark.requirement("L3-POLICY")
def test_the_policy_says_what_counts() -> None:
    lenient = IdentityPolicy(licence_needed=False, checks=("event",))
    few = a_test_of(_HUB, checks=(Check("event", passed=True),))
    assert move(hub(C, licence=None), RUN, ENGINEER, Evidence(NOW, "", few), lenient).state is RUN
    strict = IdentityPolicy(makes=frozenset({"9.9"}))
    with pytest.raises(ConflictError, match="not admitted"):
        move(hub(E), C, ENGINEER, Evidence(NOW, "", a_test_of(_HUB)), strict)


@pytest.mark.parametrize(
    ("of", "revoked", "said"),
    [
        (hub(RUN), False, None),
        (hub(RUN), True, "revoked"),
        (hub(RUN, licence=None), False, "no licence"),
        (hub(RUN, licence=Licence("L", 0, NOW)), False, "does not hold"),
        (hub(C, licence=None), False, None),
        (hub(E), True, "revoked"),
        (hub(Q, before=RUN), True, None),
        (hub(State.RETIRED), True, None),
        (hub(State.MADE), True, None),
    ],
)
def test_who_has_to_stop(of: Hub, said: str | None, *, revoked: bool) -> None:
    found = must_stop(of, NOW, POLICY, revoked=revoked)
    assert (found is None) if said is None else (found is not None and said in found)


@pytest.mark.requirement("L3-IDENTITY")
@pytest.mark.parametrize("state", list(State))
def test_identities(state: State) -> None:
    start = hub(state, before=RUN if state is Q else None, testing_until=NOW + 5)
    if state is State.RETIRED:
        for renewed in (False, True):
            with pytest.raises(ForbiddenError, match="retired"):
                identify(start, "B" * 40, NOW, POLICY, renewed=renewed)
        return
    again = identify(start, "B" * 40, NOW + 1, POLICY, renewed=True)
    assert again == replace(start, lfdi="B" * 40)
    anew = identify(start, "B" * 40, NOW + 1, POLICY, renewed=False)
    assert (anew.lfdi, anew.identified_at, anew.testing_until) == ("B" * 40, NOW + 1, 0)
    assert (anew.state, anew.before) == ((Q, E) if state is Q else (E, None))


def test_the_window_for_a_test() -> None:
    opened = open_test(hub(E), ENGINEER, NOW, 3600, POLICY)
    assert opened.testing_until == NOW + 3600
    assert open_test(opened, ENGINEER, NOW, 0, POLICY).testing_until == 0
    with pytest.raises(ConflictError, match="24 hours"):
        open_test(hub(E), ENGINEER, NOW, 90_000, POLICY)
    with pytest.raises(ConflictError, match="only an enrolled"):
        open_test(hub(RUN), ENGINEER, NOW, 60, POLICY)
    with pytest.raises(ForbiddenError, match="engineer"):
        open_test(hub(E), Actor("Dora", Role.DISPATCHER), NOW, 60, POLICY)
    assert move(opened, Q, SERVER, Evidence(NOW, "x"), POLICY).testing_until == 0


NEXT = {State.MADE: E, E: C, C: RUN}
RARELY = 9e5


class Life(RuleBasedStateMachine):
    """One hub through anything that anybody may try."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.hub = Hub("hub", State.MADE, NOW, kind=KIND, serial="00", site="s")
        self.record: Commissioning | None = None
        self.revoked = False
        self.number = 0
        self.tested_since_new = False

    @rule(
        to=st.sampled_from(State),
        role=st.sampled_from(Role),
        reason=st.sampled_from(["", " ", "why"]),
        lasting=st.floats(0, 1e6),
    )
    def any_way(self, to: State, role: Role, reason: str, lasting: float) -> None:
        if to is not State.RETIRED or lasting > RARELY:
            self.go(to, role, reason, lasting)

    @precondition(lambda self: self.hub.state in NEXT)
    @rule()
    def forth(self) -> None:
        self.go(NEXT[self.hub.state], Role.ENGINEER, "", 1.0)

    @precondition(lambda self: self.hub.state is Q)
    @rule()
    def back(self) -> None:
        self.go(self.hub.before or E, Role.ENGINEER, "all clear", 1.0)

    def go(self, to: State, role: Role, reason: str, lasting: float) -> None:
        self.now += lasting
        before = self.hub
        shown = Evidence(self.now, reason, self.record, self.revoked)
        try:
            self.hub = move(before, to, Actor("X", role), shown, POLICY)
        except RequestError:
            assert self.hub == before
            return
        assert before.state is not State.RETIRED
        assert role in {Role.ENGINEER, Role.SYSTEM}
        if to in {C, RUN} and before.state is not RUN:
            assert self.tested_since_new
            assert not self.revoked
        if to is RUN:
            assert self.hub.licence is not None
            assert self.hub.licence.valid(self.now)
        if to in {Q, State.RETIRED}:
            assert reason.strip()

    @rule(renewed=st.booleans())
    def identity(self, *, renewed: bool) -> None:
        self.number += 1
        before = self.hub
        self.now += 1
        try:
            self.hub = identify(before, f"{self.number:040X}", self.now, POLICY, renewed=renewed)
        except ForbiddenError:
            assert before.state is State.RETIRED
            return
        self.revoked = False
        if not (renewed and before.lfdi):
            self.tested_since_new = False

    @rule(passed=st.sampled_from([True, True, True, False]))
    def test(self, *, passed: bool) -> None:
        self.now += 1
        checks = tuple(Check(name, passed=passed or name != "event") for name in CHECKS)
        record = replace(a_test_of(self.hub), checks=checks, at=self.now, entered_at=self.now)
        try:
            self.record = accept(record, self.hub, POLICY)
        except DispatchError:
            return
        self.tested_since_new = passed

    @rule(until=st.none() | st.floats(-1e6, 1e9))
    def licence(self, until: float | None) -> None:
        if self.hub.state is not State.RETIRED:
            end = None if until is None else self.now + until
            self.hub = replace(self.hub, licence=Licence("L", 0, end))

    @precondition(lambda self: self.hub.lfdi)
    @rule()
    def revoke(self) -> None:
        self.revoked = True

    @rule()
    def watch(self) -> None:
        why = must_stop(self.hub, self.now, POLICY, revoked=self.revoked)
        if why is not None:
            shown = Evidence(self.now, why, revoked=self.revoked)
            self.hub = move(self.hub, Q, SERVER, shown, POLICY)
        assert not (self.revoked and self.hub.state in {E, C, RUN})

    @invariant()
    def whole(self) -> None:
        assert (self.hub.before is not None) == (self.hub.state is Q)
        assert self.hub.lfdi or self.hub.state in {State.MADE, Q, State.RETIRED}
        if self.hub.state in {C, RUN}:
            assert self.hub.site


@pytest.mark.requirement("L3-LIFECYCLE")
def test_no_way_leads_round_the_rules() -> None:
    bounds = settings(max_examples=examples(100), stateful_step_count=30, deadline=None)
    run_state_machine_as_test(Life, settings=bounds)


# Commissioning


@given(st.sampled_from(["tested_by", "witnessed_by", "site", "lfdi", "document", "at", "checks"]))
def test_a_changed_record_does_not_fit_its_seal(field: str) -> None:
    record = a_test_of(_HUB)
    assert unchanged(record)
    other: dict[str, object] = {"at": 1.0, "checks": ()}
    changed = replace(record, **{field: other.get(field, "other")})  # type: ignore[arg-type] # so
    assert not unchanged(changed)
    assert flaw_of(changed, _HUB, POLICY, NOW, fresh=True)


@pytest.mark.parametrize("state", [State.MADE, State.RETIRED])
def test_who_cannot_be_tested(state: State) -> None:
    with pytest.raises(DispatchError, match="cannot be tested"):
        accept(a_test_of(_HUB), hub(state), POLICY)


def test_a_record_is_of_the_hub_as_it_stands() -> None:
    made = accept(a_test_of(_HUB, hub="x", lfdi="x", site="x"), _HUB, POLICY)
    assert (made.hub, made.lfdi, made.site) == (_HUB.id, _HUB.lfdi, _HUB.site)
    assert unchanged(made)
    with pytest.raises(DispatchError, match="no site"):
        accept(a_test_of(_HUB), hub(E, site=""), POLICY)


# Replacement


@pytest.mark.requirement("L3-LIFECYCLE")
@pytest.mark.parametrize("state", [s for s in State if s is not State.RETIRED])
def test_a_place_is_taken(state: State) -> None:
    old = hub(state, policy=HubPolicy(100), before=RUN if state is Q else None)
    new = replace(Hub("new", State.ENROLLED, NOW), lfdi="B" * 40)
    gone, come = take_place(old, new, ENGINEER, NOW + 1, "broken")
    assert (gone.state, gone.replaced_by, gone.site) == (State.RETIRED, "new", "s")
    assert (come.state, come.replaces, come.site) == (State.ENROLLED, "hub", "s")
    assert (come.licence, come.policy) == (old.licence, old.policy)
    assert (come.lfdi, gone.lfdi) == ("B" * 40, old.lfdi)


@pytest.mark.parametrize(
    ("old", "new", "by", "reason", "said"),
    [
        (hub(RUN), hub(E), ENGINEER, "x", "by itself"),
        (hub(State.RETIRED), Hub("n", E, NOW), ENGINEER, "x", "retired already"),
        (hub(RUN, site=""), Hub("n", E, NOW), ENGINEER, "x", "no place"),
        (hub(RUN), Hub("n", RUN, NOW), ENGINEER, "x", "made or enrolled"),
        (hub(RUN), Hub("n", E, NOW, site="t"), ENGINEER, "x", "stands at site t"),
        (hub(RUN), Hub("n", E, NOW, replaces="m"), ENGINEER, "x", "taken the place of m"),
        (hub(RUN), Hub("n", E, NOW), ENGINEER, "", "reason"),
        (hub(RUN), Hub("n", E, NOW), SERVER, "x", "may not replace"),
    ],
)
def test_who_cannot_take_a_place(old: Hub, new: Hub, by: Actor, reason: str, said: str) -> None:
    with pytest.raises(RequestError, match=said):
        take_place(old, new, by, NOW, reason)


# Policy


@pytest.mark.requirement("L3-POLICY")
@pytest.mark.parametrize(
    ("policy", "change_w", "disconnects", "said"),
    [
        (HubPolicy(), 1e9, True, None),
        (HubPolicy(3000), 3000, False, None),
        (HubPolicy(3000), -3000, False, None),
        (HubPolicy(3000), 3001, False, "3000 W at most, not 3001 W"),
        (HubPolicy(3000), -3001, False, "3000 W at most, not 3001 W"),
        (HubPolicy(may_disconnect=False), 0, True, "disconnected"),
        (HubPolicy(may_disconnect=False), 0, False, None),
    ],
)
def test_what_a_contract_bars(
    policy: HubPolicy, change_w: float, said: str | None, *, disconnects: bool
) -> None:
    found = bars_event(policy, change_w, disconnects=disconnects)
    assert (found is None) if said is None else (found is not None and said in found)
