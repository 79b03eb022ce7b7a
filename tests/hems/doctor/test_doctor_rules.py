"""What facts amount to: each row is a fact and the levels that are found."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hems.doctor.facts import (
    Certificate,
    Clock,
    Database,
    DeviceFacts,
    Disk,
    File,
    HubFacts,
    Listened,
    Memory,
    RevocationList,
    Step,
    StoreFacts,
    UtilityFacts,
    Version,
    Worker,
)
from hems.doctor.finding import Finding, Level, as_json, attention, ok, plain, trouble, worst
from hems.doctor.probes.machine import number_of
from hems.doctor.rules import certificates, head_end, home, machine, store

NOW = 1_800_000_000.0
DAY = 86_400.0
MB = 1_000_000
HERE = Path("/home/hems")
DISK = Disk(HERE, 32_000 * MB, 8_000 * MB, 1000, 900, read_only=False, written_per_day=1e9)
STORE = StoreFacts(HERE / "hems.db", 5 * MB, "", "0010", "0010", 1200, "", (), NOW - DAY, NOW)
FILE = File(HERE / "key", "a key", there=True, readable=True, exposed=False, secret=True)
CERTIFICATE = Certificate("a certificate", HERE / "c.pem", True, False, "Hub", 0.0, NOW + 99 * DAY)
DEVICE = DeviceFacts("tank", meter=False, place="10.0.0.2:502")
UTILITY = UtilityFacts("utility", "connected", "", NOW - 5.0, 0.2)


def levels(found: list[Finding]) -> str:
    """Return the levels of findings by their first letters."""
    for each in found:
        assert each.what
        assert not each.what.endswith(".")
        assert each.level is not Level.OK or not each.do
    return "".join(each.level.name[0].lower() for each in found)


@pytest.mark.parametrize(
    ("clock", "expected"),
    [
        (Clock(NOW, True, 0.5), "o"),
        (Clock(NOW, None, 0.5), "o"),
        (Clock(NOW, False, 0.5), "a"),
        (Clock(10.0, True, 0.5, 11.0), "t"),
        (Clock(11.0, True, 0.5, 11.0), "o"),
        (Clock(NOW, True, None), "oo"),
        (Clock(NOW, True, -121.0), "oa"),
    ],
)
def test_time(clock: Clock, expected: str) -> None:
    assert levels([*machine.of_clock(clock)]) == expected


@pytest.mark.parametrize(
    ("disk", "expected"),
    [
        (DISK, "o"),
        (replace(DISK, free=int(machine.NEARLY_FULL)), "o"),
        (replace(DISK, free=int(machine.NEARLY_FULL) - 1), "a"),
        (replace(DISK, free=int(machine.FULL) - 1), "t"),
        (replace(DISK, free=0, read_only=True), "t"),
        (replace(DISK, free_inodes=9), "ot"),
        (replace(DISK, inodes=0, free_inodes=0), "o"),
        (replace(DISK, written_per_day=30e9), "oa"),
        (replace(DISK, written_per_day=None), "o"),
    ],
)
def test_disk(disk: Disk, expected: str) -> None:
    assert levels([*machine.of_disk(disk)]) == expected


@given(st.integers(0, 400 * MB), st.integers(0, 400 * MB))
def test_less_room_is_never_better(one: int, other: int) -> None:
    less, more = (worst(machine.of_disk(replace(DISK, free=free))) for free in sorted((one, other)))
    assert less >= more


def test_memory_versions_and_ports() -> None:
    assert machine.of_memory(Memory(10**9, 10**8)).level is Level.OK
    assert machine.of_memory(Memory(10**9, 10**7)).level is Level.ATTENTION
    old = (Version("OpenSSL", "1.1.1w", (1, 1, 1)), Version("kernel", "6.1", (6, 1)))
    assert levels([*machine.of_versions(old)]) == "ao"
    assert levels([*machine.of_versions((Version("kernel", "odd", ()),))]) == "o"
    free, taken = Listened("h:1", "the page", "web.port", ""), Listened("h:2", "x", "y", "in use")
    assert levels([*machine.of_ports((free, taken))]) == "ot"


@pytest.mark.parametrize(
    ("text", "number"),
    [("6.1.0-18-arm64", (6, 1, 0)), ("3.0.19", (3, 0, 19)), ("1.1.1w", (1, 1, 1)), ("x", ())],
)
def test_the_number_of_a_version(text: str, number: tuple[int, ...]) -> None:
    assert number_of(text) == number


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        (FILE, "o"),
        (replace(FILE, there=False), "t"),
        (replace(FILE, exposed=True), "t"),
        (replace(FILE, exposed=True, secret=False), "o"),
        (replace(FILE, readable=False), "a"),
    ],
)
def test_files(file: File, expected: str) -> None:
    assert levels([*machine.of_files([file])]) == expected


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (STORE, "oo"),
        (replace(STORE, size=None), "o"),
        (replace(STORE, error="its key cannot be had"), "to"),
        (replace(STORE, damaged="page 3 is not as it was written"), "to"),
        (replace(STORE, aside=("hems.db.damaged-1",)), "oao"),
        (replace(STORE, backed_up_at=NOW - 91 * DAY), "oa"),
        (replace(STORE, backed_up_at=None, made_at=NOW - 8 * DAY), "oa"),
        (replace(STORE, backed_up_at=None, made_at=NOW - 6 * DAY), "oo"),
        (replace(STORE, backed_up_at=None, made_at=None), "oa"),
        (replace(STORE, revision="0007"), "oo"),
    ],
)
def test_the_store(facts: StoreFacts, expected: str) -> None:
    assert levels([*store.of_store(facts, NOW)]) == expected


@pytest.mark.parametrize(
    ("certificate", "expected"),
    [
        (CERTIFICATE, "o"),
        (replace(CERTIFICATE, ends_at=None), "o"),
        (replace(CERTIFICATE, ends_at=NOW), "t"),
        (replace(CERTIFICATE, ends_at=NOW + 29 * DAY), "a"),
        (replace(CERTIFICATE, ends_at=NOW + 29 * DAY, by_itself=True), "o"),
        (replace(CERTIFICATE, ends_at=NOW + 4 * DAY, by_itself=True), "a"),
        (replace(CERTIFICATE, starts_at=NOW + 1), "t"),
        (replace(CERTIFICATE, revoked=True), "t"),
        (replace(CERTIFICATE, error="is damaged", own=False), "t"),
    ],
)
def test_certificates(certificate: Certificate, expected: str) -> None:
    assert levels([*certificates.of_certificates([certificate], NOW)]) == expected


@pytest.mark.parametrize(
    ("ends_at", "expected"),
    [(None, ""), (NOW + 2 * DAY, ""), (NOW + DAY / 2, "a"), (NOW, "a")],
)
def test_revocation_lists(ends_at: float | None, expected: str) -> None:
    each = RevocationList(HERE / "crls.pem", "CA", ends_at)
    assert levels([*certificates.of_lists([each], NOW)]) == expected
    broken = RevocationList(HERE / "crls.pem", error="is damaged")
    assert levels([*certificates.of_lists([broken], NOW)]) == "t"


@pytest.mark.parametrize(
    ("device", "expected"),
    [
        (DEVICE, "o"),
        (replace(DEVICE, unreachable=""), "o"),
        (replace(DEVICE, unreachable="no answer"), "a"),
        (replace(DEVICE, unreachable="no answer", meter=True), "t"),
        (replace(DEVICE, quality="good", age_s=1.0), "o"),
        (replace(DEVICE, quality="asleep"), "o"),
        (replace(DEVICE, quality="good", error="refused 2000 W"), "a"),
        (replace(DEVICE, quality="stale", age_s=9.0), "a"),
        (replace(DEVICE, quality="lost"), "a"),
        (replace(DEVICE, quality="lost", meter=True), "t"),
        (replace(DEVICE, quality="good", trusted=False), "oa"),
        (replace(DEVICE, quality="good", trusted=True, risk="stays on"), "oo"),
    ],
)
def test_devices(device: DeviceFacts, expected: str) -> None:
    assert levels([*home.of_devices([device])]) == expected


@pytest.mark.parametrize(
    ("utility", "expected"),
    [
        (UTILITY, "oo"),
        (replace(UTILITY, last_contact=NOW - 3601), "ao"),
        (replace(UTILITY, state="refused", detail="wrong PIN", apart_s=None), "t"),
        (replace(UTILITY, apart_s=-2.1), "oa"),
        (replace(UTILITY, apart_s=31.0), "ot"),
        (
            UtilityFacts("utility", steps=(Step("name", True, "x"), Step("answer", False, "y"))),
            "ot",
        ),
    ],
)
def test_utilities(utility: UtilityFacts, expected: str) -> None:
    assert levels([*home.of_utility(utility, NOW)]) == expected


@pytest.mark.parametrize("name", ["address", "name", "connection", "answer", "registration"])
def test_every_step_that_fails_has_its_remedy(name: str) -> None:
    (found,) = home.of_utility(UtilityFacts("u", steps=(Step(name, False, "not"),)), NOW)
    assert found.level is Level.TROUBLE
    assert found.do


@pytest.mark.parametrize(
    ("hub", "expected"),
    [
        (HubFacts(None), "a"),
        (HubFacts("http://h", "no answer"), "t"),
        (HubFacts("http://h", "", "stalled"), "t"),
        (HubFacts("http://h", "", "ok"), "o"),
        (HubFacts("http://h", "", "ok", ("the meter is lost",)), "oa"),
    ],
)
def test_the_hub(hub: HubFacts, expected: str) -> None:
    assert levels([*home.of_hub(hub)]) == expected


@pytest.mark.parametrize(
    ("worker", "expected"),
    [
        (Worker("refused"), "a"),
        (Worker("", "ok", 2), "o"),
        (Worker("", "database", 2), "t"),
        (Worker("", "behind", 2), "t"),
        (Worker("", "ok", 2, {"alarm": 1, "warning": 2, "notice": 3}), "oaa"),
        (Worker("", "ok", 2, {}, NOW + 60), "oo"),
        (Worker("", "ok", 2, {}, NOW - 60), "oa"),
    ],
)
def test_a_head_end(worker: Worker, expected: str) -> None:
    assert levels([*head_end.of_worker(worker, NOW)]) == expected


@pytest.mark.parametrize(
    ("error", "schema", "refused", "expected"),
    [("", "0004", "", Level.OK), ("", "0003", "", Level.OK), ("", None, "", Level.OK),
     ("", None, "a newer version wrote it", Level.TROUBLE), ("away", None, "", Level.TROUBLE)],
)  # fmt: skip
def test_the_database(error: str, schema: str | None, refused: str, expected: Level) -> None:
    finding = head_end.of_database(Database("db", error, schema, "0004", refused))
    assert finding.level is expected
    assert (error or refused or schema or "first start") in finding.what


def test_a_finding_is_one_line_whatever_a_peer_says() -> None:
    found = trouble("utility", "said \x1b[2J\nok    all is well", "u", "ask it")
    assert "\n" not in found.line
    assert "\x1b" not in found.line
    assert plain("Zähler, 5 kW") == "Zähler, 5 kW"


def test_the_gravest_counts() -> None:
    assert worst([]) is Level.OK
    assert worst([ok("a", "b"), attention("a", "b"), ok("a", "b")]) is Level.ATTENTION
    assert '"level": "trouble"' in as_json([ok("a", "b"), trouble("a", "b", do="c")])


def test_a_hub_that_this_user_cannot_see_is_not_said_to_be_off() -> None:
    hidden = HubFacts(None, hidden=True)
    (found,) = home.of_hub(hidden)
    assert found.level is Level.ATTENTION
    assert "cannot be seen by this user" in found.what
    assert not hidden.absent, "its ports and devices are not tried"
    assert HubFacts(None).absent


def test_what_a_token_does_not_show_is_said() -> None:
    hub = HubFacts("http://here", health="ok", unasked=("403 Forbidden",))
    runs, part = home.of_hub(hub)
    assert (runs.level, part.level) == (Level.OK, Level.ATTENTION)
    assert "403" in part.what


def test_a_disk_that_cannot_be_asked_is_trouble() -> None:
    (found,) = machine.of_disk(replace(DISK, error="Input/output error"))
    assert found.level is Level.TROUBLE
    assert "dmesg" in found.do
