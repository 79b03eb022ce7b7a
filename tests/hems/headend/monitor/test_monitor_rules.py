"""What is a signal, and what is not; a signal begins, lasts, and ends of itself."""

import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certs import explain
from hems.headend.monitor import refusals
from hems.headend.monitor.answers import Answered, contradicts, unwilling
from hems.headend.monitor.facts import Fact, Gathering, Kind
from hems.headend.monitor.judge import QUIET_S, counted, follow
from hems.headend.monitor.signals import (
    FLEET,
    MEANINGS,
    QUARANTINABLE,
    About,
    Found,
    Rule,
    Severity,
    Signal,
)
from hems.headend.monitor.silence import MOST_SINGLE, Quiet, silence, sizes_of
from hems.headend.monitor.thresholds import Thresholds

OF = Thresholds()
NOW = 1_800_000_000.0
MINUTE = int(NOW // 60)
A, B = "A" * 40, "B" * 40

pytestmark = pytest.mark.requirement("L3-MONITOR")


def fact(
    kind: Kind,
    subject: str = A,
    source: str = "",
    count: int = 1,
    *,
    value: float = 0.0,
    ago: int = 0,
) -> Fact:
    return Fact(MINUTE - ago, kind, subject, source, count, value)


def found(*facts: Fact) -> set[tuple[Rule, str]]:
    return {(each.rule, each.subject) for each in counted(facts, MINUTE, OF)}


def two_places(minutes: int, *addresses: str) -> list[Fact]:
    return [fact(Kind.ADDRESS, A, each, ago=ago) for ago in range(minutes) for each in addresses]


CASES: list[tuple[str, Sequence[Fact], set[tuple[Rule, str]]]] = [
    (
        "guessing from one address",
        [fact(Kind.HANDSHAKE, "revoked", "192.0.2.1", 10, ago=ago) for ago in (0, 5)],
        {(Rule.HANDSHAKES, "192.0.2.1")},
    ),
    ("a slip", [fact(Kind.HANDSHAKE, "expired", "192.0.2.1", 19)], set()),
    (
        "long ago",
        [fact(Kind.HANDSHAKE, "revoked", "192.0.2.1", 10, ago=ago) for ago in (0, 10)],
        set(),
    ),
    (
        "our own list has run out: everybody fails",
        [fact(Kind.HANDSHAKE, "lists", f"192.0.2.{n}", 2) for n in range(10)],
        {(Rule.HANDSHAKE_WAVE, "lists")},
    ),
    (
        "many fail, each for a reason of its own",
        [fact(Kind.HANDSHAKE, reason, f"192.0.2.{n}", 2) for n, reason in enumerate("abcdefghij")],
        set(),
    ),
    (
        "a revoked certificate tries again",
        [fact(Kind.REFUSED_CERTIFICATE, A, "192.0.2.1", ago=ago) for ago in range(3)],
        {(Rule.REFUSED_CERTIFICATE, A)},
    ),
    ("an unknown certificate", [fact(Kind.STRANGER, A, count=5)], {(Rule.STRANGER, A)}),
    ("who has yet to be entered", [fact(Kind.STRANGER, A, count=4)], set()),
    ("a replaced identity, once", [fact(Kind.BARRED, A)], {(Rule.BARRED, A)}),
    ("a copied key", two_places(3, "192.0.2.1", "198.51.100.1"), {(Rule.CLONE, A)}),
    ("a home that moved", two_places(2, "192.0.2.1", "198.51.100.1"), set()),
    ("a home of both families", two_places(9, "192.0.2.1", "2001:db8::/64"), set()),
    (
        "two places one after the other",
        [fact(Kind.ADDRESS, A, f"192.0.2.{ago % 2}", ago=ago) for ago in range(10)],
        set(),
    ),
    (
        "many paths tried",
        [fact(Kind.REFUSED, A, count=20, value=20.0)],
        {(Rule.SCAN, A)},
    ),
    ("one path tried often", [fact(Kind.REFUSED, A, count=100, value=1.0)], {(Rule.SCAN, A)}),
    ("one path tried now and then", [fact(Kind.REFUSED, A, count=99, value=1.0)], set()),
    (
        "a flood",
        [fact(Kind.REQUESTS, A, count=700), fact(Kind.ALL, "", count=900, value=21.0)],
        {(Rule.FLOOD, A)},
    ),
    (
        "all ask a lot, as in a test of load",
        [fact(Kind.REQUESTS, A, count=700), fact(Kind.ALL, "", count=14_000, value=21.0)],
        set(),
    ),
    (
        "a flood over two workers",
        [fact(Kind.REQUESTS, A, count=350)] * 2 + [fact(Kind.ALL, "", count=360, value=2.0)] * 2,
        {(Rule.FLOOD, A)},
    ),
    (
        "a clock ahead",
        [fact(Kind.CLOCK, A, value=90.0, ago=ago) for ago in (0, 20, 50)],
        {(Rule.CLOCK, A)},
    ),
    ("a clock ahead, once", [fact(Kind.CLOCK, A, value=90.0)], set()),
    ("contradictions", [fact(Kind.CONTRADICTION, A, count=2)], {(Rule.CONTRADICTION, A)}),
    ("more than it can", [fact(Kind.OVER_RATING, A, count=3)], {(Rule.OVER_RATING, A)}),
    ("sun that takes", [fact(Kind.SIGN, A, count=3)], {(Rule.SIGN, A)}),
    ("frozen", [fact(Kind.FROZEN, A, value=130.0)], {(Rule.FROZEN, A)}),
    ("nobody opens", [fact(Kind.NOT_TAKEN, A, count=3)], {(Rule.UNDELIVERED, A)}),
    (
        "no notification arrives",
        [fact(Kind.NOT_TAKEN, f"{n:040X}") for n in range(10)] + [fact(Kind.TAKEN, "", count=40)],
        {(Rule.UNDELIVERED_WAVE, FLEET)},
    ),
    (
        "most arrive",
        [fact(Kind.NOT_TAKEN, f"{n:040X}") for n in range(10)] + [fact(Kind.TAKEN, "", count=41)],
        set(),
    ),
]


@pytest.mark.parametrize(("facts", "wanted"), [row[1:] for row in CASES], ids=[c[0] for c in CASES])
def test_facts_are_signals(facts: Sequence[Fact], wanted: set[tuple[Rule, str]]) -> None:
    assert found(*facts) == wanted


quiet_minutes = st.lists(
    st.builds(
        lambda homes, asked, ago, refused, left: (homes, asked, ago, refused, left),
        homes=st.integers(0, 1000),
        asked=st.integers(0, 20),
        ago=st.integers(0, 69),
        refused=st.integers(0, 1),
        left=st.integers(0, 1),
    ),
    max_size=70,
    unique_by=lambda row: row[2],
)


@given(quiet_minutes)
def test_a_quiet_fleet_has_no_signals(
    minutes: Sequence[tuple[int, int, int, int, int]],
) -> None:
    """Homes poll; now and then one is refused something, or misses a notification."""
    facts = []
    for homes, asked, ago, refused, left in minutes:
        facts.append(fact(Kind.ALL, "", count=homes * asked, value=float(homes), ago=ago))
        facts.append(fact(Kind.TAKEN, "", count=homes, ago=ago))
        if refused:
            facts.append(fact(Kind.REFUSED, f"{ago:040X}", count=refused, value=1.0, ago=ago))
        if left:
            facts.append(fact(Kind.NOT_TAKEN, f"{ago:040X}", ago=ago))
    facts = [each for each in facts if each.kind is not Kind.NOT_TAKEN or each.minute % 7 == 0]
    assert not counted(facts, MINUTE, OF)


any_facts = st.lists(
    st.builds(
        fact,
        kind=st.sampled_from(Kind),
        subject=st.sampled_from([A, B, "revoked", ""]),
        source=st.sampled_from(["", "192.0.2.1", "192.0.2.2", "2001:db8::/64"]),
        count=st.integers(1, 10_000),
        value=st.floats(0, 1e6),
        ago=st.integers(0, 69),
    ),
    max_size=60,
)


@given(any_facts, st.integers(0, 10_000))
def test_every_signal_ends_when_nothing_speaks_for_it_any_more(
    facts: Sequence[Fact], seed: int
) -> None:
    """Rounds are late, and some are missed; whatever was found is over within two hours."""
    pauses, now, known = random.Random(seed), NOW, list[Signal]()  # noqa: S311 - draws, not secrets
    while now < NOW + 2 * 3600:
        verdict = follow(known, counted(facts, int(now // 60), OF), now)
        assert all(signal.ended == now for signal in verdict.ended)
        kept = {signal.number for signal in (*verdict.lasting, *verdict.ended)}
        waiting = [signal for signal in known if signal.number not in kept]
        assert all(now - signal.seen < QUIET_S for signal in waiting)
        fresh = [
            Signal(s.rule, s.subject, s.since, s.seen, None, s.count, int(now) + place)
            for place, s in enumerate(verdict.begun)
        ]
        known = [*waiting, *verdict.lasting, *fresh]
        now += pauses.uniform(30.0, 600.0)
    assert not known


def test_a_signal_lasts_over_a_pause_and_begins_anew_after_its_end() -> None:
    item = Found(Rule.SCAN, A, 30)
    (begun,) = follow([], [item], NOW).begun
    assert follow([begun], [], NOW + QUIET_S - 1).ended == []
    more = follow([begun], [Found(Rule.SCAN, A, 90), item], NOW + 60).lasting
    assert [(s.since, s.seen, s.count) for s in more] == [(NOW, NOW + 60, 90)]
    assert [s.count for s in follow(more, [item], NOW + 120).lasting] == [90]
    (ended,) = follow(more, [], NOW + 60 + QUIET_S).ended
    assert ended.ended == NOW + 60 + QUIET_S
    assert follow([], [item], NOW + 3600).begun[0].since == NOW + 3600


# Silence


def homes(group: str, count: int, heard: float) -> list[Quiet]:
    return [
        Quiet(f"{group}-{n}", heard + n, (f"{group}-tx", group, "system")) for n in range(count)
    ]


def names(items: Sequence[Found], rule: Rule) -> list[str]:
    return [each.subject for each in items if each.rule is rule]


def test_one_home_is_silent_by_itself() -> None:
    quiet = [Quiet(A, NOW - 1000, ("tx", "f1"))]
    items = silence(quiet, {"tx": 10, "f1": 100, FLEET: 1000}, NOW, OF)
    assert items == [Found(Rule.SILENT, A, 16)]


def test_a_feeder_that_falls_silent_is_one_outage_and_not_a_hundred_homes() -> None:
    quiet = [*homes("f1", 90, NOW - 1000), Quiet(A, NOW - 5000, ("tx9", "f9", "system"))]
    sizes = {"f1": 100, "f1-tx": 90, "system": 1000, "tx9": 9, "f9": 90, FLEET: 1000}
    items = silence(quiet, sizes, NOW, OF)
    assert names(items, Rule.OUTAGE) == ["f1"]
    assert names(items, Rule.SILENT) == [A]


def test_the_same_number_here_and_there_is_no_outage() -> None:
    quiet = [Quiet(f"{n}", NOW - 1000 - n, (f"tx{n}", f"f{n}")) for n in range(30)]
    sizes = {FLEET: 1000} | {f"{k}{n}": 10 for k in ("tx", "f") for n in range(30)}
    items = silence(quiet, sizes, NOW, OF)
    assert not names(items, Rule.OUTAGE)
    assert len(names(items, Rule.SILENT)) == 30


def test_homes_that_went_one_after_the_other_are_no_outage() -> None:
    quiet = [Quiet(f"{n}", NOW - 1000 - n * 1000, ("f1",)) for n in range(10)]
    assert not names(silence(quiet, {"f1": 10, FLEET: 1000}, NOW, OF), Rule.OUTAGE)


def test_the_whole_fleet_is_one_outage() -> None:
    quiet = [*homes("f1", 50, NOW - 1000), *homes("f2", 50, NOW - 1000)]
    items = silence(quiet, {"f1": 50, "f2": 50, FLEET: 100}, NOW, OF)
    assert [(each.rule, each.subject, each.count) for each in items] == [(Rule.OUTAGE, FLEET, 100)]


@given(st.integers(0, 400), st.integers(0, 400))
def test_more_homes_than_can_be_read_are_not_told_each(count: int, size: int) -> None:
    quiet = [Quiet(f"{n:04}", NOW - 1000 - 2000 * n, ()) for n in range(count)]
    items = silence(quiet, sizes_of([q.lfdi for q in quiet] + ["x"] * size, _none, ()), NOW, OF)
    assert len(names(items, Rule.SILENT)) <= min(count, MOST_SINGLE)


def _none(_lfdi: str) -> Sequence[str]:
    return ()


# Answers


@pytest.mark.parametrize(
    ("item", "before", "rules"),
    [
        (Answered("E", 100, {1: 100, 4: 30}), [], {Rule.OPTED_OUT}),
        (Answered("E", 100, {1: 100, 4: 29}), [], set()),
        (Answered("E", 100, {1: 60, 252: 40, 4: 35}), [], {Rule.OPTED_OUT, Rule.CANNOT_COMPLY}),
        (Answered("E", 8, {4: 4}), [], set()),
        (Answered("E", 100, {4: 45}), [Answered("D", 100, {4: 25})], set()),
        (Answered("E", 100, {4: 60}), [Answered("D", 100, {4: 25})], {Rule.OPTED_OUT}),
        (Answered("E", 0, {}), [], set()),
    ],
)
def test_who_leaves_an_event(item: Answered, before: Sequence[Answered], rules: set[Rule]) -> None:
    assert {each.rule for each in unwilling(item, before, OF)} == rules


@pytest.mark.parametrize(
    ("status", "at", "cancelled", "cannot_be"),
    [
        (1, -600.0, False, False),
        (2, -600.0, False, True),
        (2, -10.0, False, False),
        (3, -600.0, False, True),
        (3, 600.0, False, True),
        (3, 600.0, True, False),
        (3, 3590.0, False, False),
        (4, -600.0, False, False),
        (7, -600.0, False, False),
        (8, -600.0, False, True),
        (8, 600.0, False, False),
    ],
)
def test_answers_that_cannot_be(status: int, at: float, cancelled: bool, cannot_be: bool) -> None:
    """An event of an hour; times from its begin."""
    assert contradicts(status, NOW + at, NOW, NOW + 3600, cancelled=cancelled) is cannot_be


# What is gathered


def test_a_quiet_minute_is_one_row_however_many_homes() -> None:
    gathering = Gathering(100)
    for n in range(1000):
        for _ in range(5):
            gathering.request(f"{n:040X}", "192.0.2.1", 200, "/tm", known=True)
    gathered = gathering.take(MINUTE, _one)
    assert gathered.facts == [Fact(MINUTE, Kind.ALL, "", "", 5000, 1000.0)]
    assert len(gathered.addresses) == 1000
    assert gathering.take(MINUTE, _one).facts == [Fact(MINUTE, Kind.ALL, "", "", 0, 0.0)]


def test_what_stands_out_is_told() -> None:
    gathering = Gathering(100)
    for n in range(120):
        gathering.request(A, f"192.0.2.{n}", 404, f"/x/{n}", known=True)
        gathering.request(B, "192.0.2.9", 403, "/edev", known=False)
    gathered = gathering.take(MINUTE, _one)
    assert set(gathered.facts[1:]) == {
        Fact(MINUTE, Kind.REQUESTS, A, "", 120),
        Fact(MINUTE, Kind.REQUESTS, B, "", 120),
        Fact(MINUTE, Kind.REFUSED, A, "", 120, 64.0),
    }
    assert gathered.strangers == {B: 120}
    assert gathered.addresses == {A: tuple(f"192.0.2.{n}" for n in range(4))}


def test_an_aggregator_may_ask_for_each_of_its_homes() -> None:
    gathering = Gathering(100)
    for _ in range(1000):
        gathering.request(A, "192.0.2.1", 200, "/tm", known=True)
    assert gathering.take(MINUTE, lambda _lfdi: 500).facts[1].count == 2


def test_who_sends_too_much_fills_no_memory() -> None:
    gathering = Gathering(100)
    for n in range(5000):
        gathering.note(Kind.HANDSHAKE, "closed", f"2001:db8::{n:x}")
    gathered = gathering.take(MINUTE, _one)
    assert len(gathered.facts) == 4096
    assert gathered.dropped == 5001 - 4096


def _one(_lfdi: str) -> int:
    return 1


# Words


def test_every_reason_has_its_word() -> None:
    sentences = [*explain._REASONS.values(), *explain._VERIFY.values()]
    words = {refusals.reason_of(each) for each in sentences}
    assert refusals.OTHER not in words
    assert words <= set(refusals.REASONS)
    assert refusals.reason_of("the moon is full") == refusals.OTHER


@pytest.mark.parametrize(
    ("sentence", "word"),
    [
        ("the peer's certificate is refused: it has been revoked", "revoked"),
        ("the peer's certificate is refused: a revocation list has expired", "lists"),
        (f"the certificate of LFDI {A} is revoked", "revoked"),
        ("the peer showed no client certificate", "no-certificate"),
        ("the peer speaks plain HTTP, not TLS", "not-tls"),
        ("the certificate of CN=x has a key on secp384r1; 2030.5 wants P-256", "rules"),
    ],
)
def test_reasons_of_handshakes(sentence: str, word: str) -> None:
    assert refusals.reason_of(sentence) == word


def test_whose_certificate_it_was() -> None:
    assert refusals.holder_of(f"the certificate of LFDI {A} is revoked") == A
    assert refusals.holder_of("the peer's certificate is refused: it has expired") == ""


@pytest.mark.parametrize("rule", Rule)
def test_every_rule_says_what_it_means(rule: Rule) -> None:
    text = Signal(rule, "", NOW, NOW, None, 7).text
    assert "{" not in text
    assert "7" in text
    assert MEANINGS[rule].severity in Severity


def test_nobody_is_shut_out_for_what_befalls_him() -> None:
    assert all(MEANINGS[rule].about is About.HOME for rule in QUARANTINABLE)
    assert not QUARANTINABLE & {Rule.SILENT, Rule.OUTAGE, Rule.UNDELIVERED, Rule.FROZEN}
