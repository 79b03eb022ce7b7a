"""Which firmware is newer, which must not run, whose word counts: tables, and slow oracles."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from der.model import Connection
from hems.bulletin import (
    Alert,
    Bulletin,
    DeviceWord,
    Firmware,
    FirmwareList,
    FirmwareRange,
    Release,
    Severity,
    State,
)
from hems.emg.feeds.pace import LONGEST_S, wait_s
from hems.emg.feeds.reader import alerts
from hems.emg.firmware.approval import Refusal, Word, refused
from hems.emg.firmware.judge import Standing, Verdict, distrusted, judged, within
from hems.emg.firmware.lists import Known, Refreshed, RefusedList, known
from hems.emg.firmware.releases import software
from hems.emg.firmware.version import compare
from hems.headend.enterprise.statistics import Anomaly, anomalies
from hems.headend.firmware.offers import Which, listed, offered, released, withdrawn
from hems.headend.firmware.repository import FirmwareError

OLDER, SAME, NEWER, NOBODY_KNOWS = -1, 0, 1, None


@pytest.mark.requirement("L2-FIRMWARE")
@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("1.4", "1.4", SAME),
        ("1.4", " 1.4 ", SAME),
        ("1.4", "1.4.0", SAME),
        ("v1.4", "1.4", SAME),
        ("V1.4", "FW 1.4", SAME),
        ("Version 1.4", "1.4", SAME),
        ("1.4", "1.5", OLDER),
        ("1.9", "1.10", OLDER),
        ("2.0", "1.99.99", NEWER),
        ("1.4.1", "1.4", NEWER),
        ("1.4-rc1", "1.4", OLDER),
        ("1.4rc2", "1.4-rc.1", NEWER),
        ("1.4b1", "1.4rc1", OLDER),
        ("1.4-alpha", "1.4-beta", OLDER),
        ("1.4.dev3", "1.4a1", OLDER),
        ("1.4p2", "1.4", NEWER),
        ("1.4-p2", "1.4-p10", OLDER),
        ("1.5-rc1", "1.4", NEWER),
        ("20240131", "20231231", NEWER),
        ("20240131-173111/v1.4.4-g6d2a586", "20240131-173111/v1.4.4-g6d2a586", SAME),
        ("20240131-173111/v1.4.4-g6d2a586", "20240625-112233/v1.5.0-gaaaaaaa", NOBODY_KNOWS),
        ("1.4-EU", "1.5-EU", OLDER),
        ("1.4-EU", "1.5-US", NOBODY_KNOWS),
        ("1.4-EU", "1.4", NOBODY_KNOWS),
        ("1.4+build7", "1.4+build8", NOBODY_KNOWS),
        ("1.04", "1.4", NOBODY_KNOWS),
        ("1.04", "1.05", OLDER),
        ("1.04", "1.10", OLDER),
        ("20240131", "1.4", NOBODY_KNOWS),
        ("abc", "abd", NOBODY_KNOWS),
        ("abc", "ABC", SAME),
        ("", "1.4", NOBODY_KNOWS),
        ("", "", NOBODY_KNOWS),
        ("1.4.1.2.3.4.5.6.7", "1.4", NOBODY_KNOWS),
        ("9" * 40, "1", NOBODY_KNOWS),
        ("1..4", "1.4", NOBODY_KNOWS),
        ("\u0661.\u0664", "1.4", NOBODY_KNOWS),
    ],
)
def test_which_of_two_versions_is_newer(one: str, other: str, expected: int | None) -> None:
    assert compare(one, other) == expected
    assert compare(other, one) == (None if expected is None else -expected)


_NUMBERS = st.lists(st.integers(0, 300), min_size=1, max_size=5)


@given(_NUMBERS, _NUMBERS)
def test_plain_numbers_go_by_number(one: list[int], other: list[int]) -> None:
    """An oracle that fills up with zeros and compares place by place."""
    width = max(len(one), len(other))
    a, b = (each + [0] * (width - len(each)) for each in (one, other))
    expected = next(((x > y) - (x < y) for x, y in zip(a, b, strict=True) if x != y), 0)
    assert compare(".".join(map(str, one)), ".".join(map(str, other))) == expected


_ANY = st.one_of(
    st.text(max_size=20),
    st.from_regex(
        re.compile(r"v?[0-9]{1,3}(\.[0-9]{1,2}){0,3}(-?(rc|a|p)[0-9]?)?"), fullmatch=True
    ),
)


@given(_ANY, _ANY)
def test_it_never_says_two_things(one: str, other: str) -> None:
    forth, back = compare(one, other), compare(other, one)
    assert (forth is None) == (back is None)
    if forth is not None and back is not None:
        assert forth == -back


@given(_ANY, _ANY, _ANY)
def test_it_is_an_order(a: str, b: str, c: str) -> None:
    if compare(a, b) == -1 and compare(b, c) == -1:
        assert compare(a, c) in {-1, None}


def _entry(version: str, state: State, **more: str) -> Firmware:
    named = {"manufacturer": "Acme", "model": "Sun 5", **more}
    return Firmware.model_validate({"version": version, "state": state, **named})


LISTED = (
    _entry("1.4", State.LATEST),
    _entry("1.3", State.ALLOWED),
    _entry("1.2", State.UNTRUSTED, advisory="anybody can switch it off"),
    _entry("9.9", State.LATEST, model="Sun 9"),
)
BELOW = FirmwareRange(manufacturer="ACME", below="1.4", why="it opens doors")
ALONE = FirmwareRange(manufacturer="acme", model="sun 5", versions=("1.4",), why="it is stolen")


def _runs(firmware: str, model: str = "Sun 5", serial: str = "7") -> Connection:
    return Connection("modbus://192.0.2.1", "Acme", model, serial, firmware)


@pytest.mark.requirement("L2-FIRMWARE")
@pytest.mark.parametrize(
    ("firmware", "ranges", "expected"),
    [
        ("1.4", (), Verdict(Standing.LATEST)),
        ("v1.4.0", (), Verdict(Standing.LATEST)),
        ("1.3", (), Verdict(Standing.ALLOWED, "1.4")),
        ("1.2", (), Verdict(Standing.UNTRUSTED, "1.4", "anybody can switch it off")),
        ("1.1", (), Verdict(Standing.OUTDATED, "1.4")),
        ("1.5", (), Verdict(Standing.UNKNOWN)),
        ("blue", (), Verdict(Standing.UNKNOWN)),
        ("", (), Verdict(Standing.UNKNOWN)),
        ("1.3", (BELOW,), Verdict(Standing.UNTRUSTED, "1.4", "it opens doors")),
        ("1.4", (BELOW,), Verdict(Standing.LATEST)),
        ("1.4", (ALONE,), Verdict(Standing.UNTRUSTED, "", "it is stolen")),
        ("blue", (BELOW, ALONE), Verdict(Standing.UNKNOWN)),
        ("", (BELOW,), Verdict(Standing.UNKNOWN)),
    ],
)
def test_what_is_thought_of_firmware(
    firmware: str, ranges: tuple[FirmwareRange, ...], expected: Verdict
) -> None:
    assert judged(_runs(firmware), LISTED, ranges) == expected


def test_lists_of_others_say_nothing() -> None:
    assert (
        judged(Connection("x", "Voltly", "Sun 5", "", "1.2"), LISTED).standing is Standing.UNKNOWN
    )
    assert judged(_runs("1.2", "Sun 6"), LISTED).standing is Standing.UNKNOWN
    assert judged(_runs("1.4"), ()).standing is Standing.UNKNOWN


def test_the_owner_reads_what_to_do() -> None:
    assert judged(_runs("1.3"), LISTED).words.startswith("A newer firmware is known: 1.4.")
    assert "anybody can switch it off" in judged(_runs("1.2"), LISTED).words
    assert judged(_runs("1.4"), LISTED).words == ""
    assert judged(_runs("1.4"), LISTED, [ALONE]).words == (
        "This firmware must not run: it is stolen."
    )


@given(_ANY, _ANY)
def test_who_is_untrusted_is_certainly_so(version: str, bound: str) -> None:
    named = FirmwareRange(manufacturer="Acme", versions=("x",), below="1", why="y")
    told = named.model_copy(update={"versions": (), "below": bound})
    assert within(told, version) == (compare(version, bound) == -1 and bool(bound))


def _bulletin(**more: object) -> Bulletin:
    first: dict[str, object] = {"enterprise": "U", "number": 1, "issued": 100.0, "expires": 1000.0}
    return Bulletin.model_validate(first | more)


def test_what_is_said_of_one_device_goes_before_what_is_said_of_all() -> None:
    def word(*, trusted: bool, model: str = "", serial: str = "") -> DeviceWord:
        why = f"{model}{serial}" or "all"
        return DeviceWord(manufacturer="Acme", model=model, serial=serial, trusted=trusted, why=why)

    bad, model = word(trusted=False), word(trusted=True, model="Sun 5")
    one = word(trusted=False, model="Sun 5", serial="7")
    assert distrusted(_runs("1"), _bulletin(devices=[bad])) == "all"
    assert distrusted(_runs("1"), _bulletin(devices=[model, bad])) == ""
    assert distrusted(_runs("1"), _bulletin(devices=[one, model, bad])) == "Sun 57"
    assert distrusted(_runs("1", serial="8"), _bulletin(devices=[one, model, bad])) == ""
    assert distrusted(_runs("1"), _bulletin(devices=[word(trusted=True), bad])) == "all"
    assert distrusted(Connection("x"), _bulletin(devices=[bad])) == ""


def test_alerts_end_by_themselves_and_with_their_bulletin() -> None:
    lasting = Alert(id="a", severity=Severity.WARNING, text="x")
    short = Alert(id="b", severity=Severity.WARNING, text="x", until=500.0)
    told = _bulletin(alerts=[lasting, short])
    assert [each.id for each in alerts(told, 499.0)] == ["a", "b"]
    assert [each.id for each in alerts(told, 500.0)] == ["a"]
    assert alerts(told, 1000.0) == ()
    assert alerts(None, 0.0) == ()


A, B = {"sha256": "a" * 64}, {"sha256": "b" * 64}


@pytest.mark.parametrize(
    ("vendor", "client", "expected"),
    [
        (Word(1, A), Word(1, A), None),
        (None, Word(1, A), Refusal.NO_VENDOR),
        (None, None, Refusal.NO_VENDOR),
        (Word(1, A), None, Refusal.NO_CLIENT),
        (Word(1, A), Word(1, B), Refusal.DIFFERENT),
        (Word(1, A), Word(2, A), Refusal.DIFFERENT),
        (Word(1, {"md5": "a"}), Word(1, {"md5": "a"}), Refusal.DIFFERENT),
        (Word(1, A), Word(1, {**A, "sha512": "c"}), Refusal.DIFFERENT),
        (Word(1, {}), Word(1, {}), Refusal.DIFFERENT),
    ],
)
def test_both_must_have_signed_the_same(
    vendor: Word | None, client: Word | None, expected: Refusal | None
) -> None:
    assert refused(vendor, client) == expected


def test_a_list_that_is_spoilt_leaves_the_former_in_force() -> None:
    acme, other = FirmwareList(vendor="acme", firmware=LISTED), FirmwareList(vendor="other")
    before = Known(lists=(acme, other), at=1.0)
    assert known(before, Refreshed(error="away"), 2.0) == before
    after = known(before, Refreshed(refused=(RefusedList(vendor="acme", why="x"),)), 2.0)
    assert after == Known(lists=(acme,), at=1.0)
    assert known(before, Refreshed(lists=(other,)), 2.0) == Known(lists=(other,), at=2.0)


def _release(version: str, state: State, advisory: str = "") -> Release:
    return Release(version=version, file=f"hems-{version}.whl", state=state, advisory=advisory)


@pytest.mark.requirement("LC-PATCH")
def test_only_what_is_newer_takes_the_place_of_the_hubs_software() -> None:
    own = FirmwareList(
        vendor="hems",
        releases=(
            _release("0.3", State.LATEST),
            _release("0.2", State.UNTRUSTED, "it leaks"),
            _release("0.1", State.ALLOWED),
        ),
    )
    assert software("0.1", [own], "hems").update == own.releases[0]
    assert software("0.3", [own], "hems").update is None
    assert software("0.4", [own], "hems").update is None
    assert software("odd", [own], "hems").update is None
    assert software("0.1", [own], "others").update is None
    assert software("0.2", [own], "hems").warning == (
        "The hub's software 0.2 must not run: it leaks."
    )
    back = FirmwareList(vendor="hems", releases=(_release("0.1", State.LATEST),))
    assert software("0.2", [back], "hems").update is None  # never back


def test_a_list_has_one_latest() -> None:
    first = offered(listed(None, "acme"), _entry("1.4", State.LATEST))
    second = offered(first, _entry("1.5", State.LATEST))
    states = {each.version: each.state for each in second.firmware}
    assert states == {"1.4": State.ALLOWED, "1.5": State.LATEST}
    gone = withdrawn(second, Which("1.5", "acme", "SUN 5"), "it burns")
    assert [each.state for each in gone.firmware] == [State.ALLOWED, State.UNTRUSTED]
    package = released(gone, _release("0.1", State.LATEST))
    newer = released(package, _release("0.2", State.LATEST))
    assert [each.state for each in newer.releases] == [State.ALLOWED, State.LATEST]
    assert withdrawn(newer, Which("0.2"), "x").releases[1].state is State.UNTRUSTED
    with pytest.raises(FirmwareError, match="has offered no release 9"):
        withdrawn(newer, Which("9"), "x")
    with pytest.raises(FirmwareError, match="is that of acme"):
        listed(newer.model_dump_json().encode(), "other")
    with pytest.raises(FirmwareError, match="is damaged"):
        listed(b"{", "acme")


@pytest.mark.requirement("L3-MONITOR")
@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ([0, 0, 0, 0, 0, 50], [50]),
        ([0, 0, 0, 0, 0, 9], []),
        ([3, 4, 5, 4, 3, 4, 60], [60]),
        ([3, 4, 5, 4, 3, 4, 19], []),
        ([100, 200, 300, 400, 500, 600], []),
        ([0, 0, 0, 900], []),
        ([500, 500, 500, 500, 500, 500], []),
        ([2, 2, 2, 2, 2, 40, 40], [40, 40]),
    ],
)
def test_whose_numbers_stand_out(counts: list[int], expected: list[int]) -> None:
    homes = {f"home-{number}": {"login-failed": count} for number, count in enumerate(counts)}
    assert [each.count for each in anomalies(homes)] == expected


def test_a_home_in_which_nothing_happens_counts_as_usual() -> None:
    homes: dict[str, dict[str, int]] = {f"home-{number}": {} for number in range(9)}
    assert list(anomalies(homes)) == []
    homes["home-3"] = {"package-tampered": 12}
    assert anomalies(homes) == [Anomaly("home-3", "package-tampered", 12, 0.0)]


@given(st.lists(st.integers(0, 1000), min_size=5, max_size=12), st.integers(2, 50))
def test_no_home_stands_out_where_all_are_alike(counts: list[int], times: int) -> None:
    """Fewer than half of the homes ever stand out, and more events make nobody less conspicuous."""
    homes = {str(number): {"x": count} for number, count in enumerate(counts)}
    found = {each.home for each in anomalies(homes)}
    assert len(found) <= len(counts) / 2
    for home in found:
        louder = {**homes, home: {"x": homes[home]["x"] * times}}
        assert home in {each.home for each in anomalies(louder)}


@given(st.floats(10, 86400 * 30), st.integers(0, 2000), st.floats(0, 1))
def test_waiting_is_bounded_and_never_at_once(every: float, failures: int, chance: float) -> None:
    waited = wait_s(every, failures, chance)
    assert 0.89 * every <= waited <= 1.11 * max(every, LONGEST_S)
    assert wait_s(every, failures + 1, chance) >= waited
