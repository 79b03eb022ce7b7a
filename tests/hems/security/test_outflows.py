"""What leaves the hub, told from its configuration alone: nothing configured, nothing leaves."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from hems.push.subscription import Subscription
from hems.security.devices import trusted
from hems.security.outflows import outflows
from hems.security.reach import host_of, reach_of
from hems.security.surface import Flow, Guard, Occasion, Proof, Reach
from hems.settings.config import Config, load
from hems.settings.toml_file import ConfigError
from hems.visibility.surface import GrantView

pytestmark = pytest.mark.requirement("PRV-TRANSIT", "ROLE-UI")

UTILITY = """
[utility]
name = "grid"
url = "https://utility.example:8443/dcap"
certificate = "hub.pem"
key = "hub.key"
trust = "trust.pem"
crls = "crls.pem"
pin = "111115"
mirror_interval = "5 min"
"""
DOOR = """
[visibility]
certificate = "hub.pem"
key = "hub.key"
trust = "trust.pem"
crls = "crls.pem"
"""
DEVICES = """
[[device]]
id = "meter"
kind = "meter"
name = "Grid meter"
driver = "sunspec"
host = "192.168.1.9"
port = 502

[[device]]
id = "pv"
kind = "pv"
name = "Roof"
driver = "sunspec"
host = "192.168.1.5"
port = 802
transport = "tls"
tls_trust = "pv.pem"
min = "-5 kW"

[[device]]
id = "car"
kind = "evse"
name = "Wallbox"
driver = "ocpp16"
station = "WB1"
password = "0123456789abcdef"
max = "11 kW"
phases = 3

[[device]]
id = "wash"
kind = "plug"
name = "Washer"
driver = "mqtt"
profile = "tasmota"
topic = "wash"
max = "2 kW"
"""


def config(folder: Path, text: str) -> Config:
    path = folder / "hems.toml"
    path.write_text(text, encoding="utf-8")
    return load(path)


def grant(name: str, *, holds: bool = True, recipient: str = "AB" * 20) -> GrantView:
    return GrantView(1, recipient, name, "settlement", ("energy",), 1.0, 2e9, holds)


def test_of_a_home_alone_nothing_leaves() -> None:
    assert outflows(Config(), {}, [grant("Ada")]) == ()


def test_what_a_utility_is_told(tmp_path: Path) -> None:
    found = outflows(config(tmp_path, UTILITY + DEVICES), {}, [])
    told = {row.flow: row for row in found if row.to == "grid"}
    asked = told.pop(Flow.REVOCATION)
    assert (asked.host, asked.guard) == ("", Guard.NONE), "where its certificates say"
    assert set(told) == {Flow.READINGS, Flow.REPORTS, Flow.ANSWERS, Flow.TROUBLES}
    for row in told.values():
        assert (row.host, row.reach, row.guard) == ("utility.example", Reach.BEYOND, Guard.BOTH)
    assert told[Flow.READINGS].every_s == 300.0
    assert list(told[Flow.READINGS].devices) == ["Grid meter", "Roof", "Wallbox"]
    assert list(told[Flow.REPORTS].devices) == ["Roof"]
    assert told[Flow.ANSWERS].occasion is Occasion.EVENT


def test_a_server_that_was_found_is_named(tmp_path: Path) -> None:
    looked_for = config(tmp_path, UTILITY.replace("url", "#url"))
    rows = outflows(looked_for, {"grid": "https://10.0.0.7:8443"}, [])
    told = [row for row in rows if row.flow is not Flow.REVOCATION]
    assert {(row.host, row.reach) for row in told} == {("10.0.0.7", Reach.HOME)}
    assert {row.host for row in outflows(looked_for, {"grid": ""}, [])} == {""}


@pytest.mark.parametrize(
    ("ocsp", "expected"),
    [
        ("http://ocsp.example/a", ("ocsp.example", Reach.BEYOND, Guard.NONE)),
        ("https://10.0.0.8:1/", ("10.0.0.8", Reach.HOME, Guard.ONE)),
        ("off", None),
    ],
)
def test_who_is_asked_about_a_servers_certificate(
    tmp_path: Path, ocsp: str, expected: tuple[str, Reach, Guard] | None
) -> None:
    rows = outflows(config(tmp_path, f'{UTILITY}ocsp = "{ocsp}"\n'), {}, [])
    found = [(r.host, r.reach, r.guard) for r in rows if r.flow is Flow.REVOCATION]
    assert found == ([] if expected is None else [expected])


def test_who_was_granted_something_is_named_while_it_holds_and_there_is_a_door(
    tmp_path: Path,
) -> None:
    grants = [grant("Ada"), grant("Bob", holds=False)]
    (row,) = outflows(config(tmp_path, DOOR), {}, grants)
    assert (row.flow, row.to, row.data) == (Flow.GRANT, "Ada", ("energy",))
    assert row.until == 2e9


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[planner]\nweather = "https://w.example/x?key=1"', (Flow.WEATHER, Guard.ONE, 3600.0)),
        ('[planner]\nweather = "http://w.example/"', (Flow.WEATHER, Guard.NONE, 3600.0)),
        (
            '[planner]\nenabled = false\nweather = "http://w.example/"',
            None,
        ),
        ('[planner]\nweather = "weather.json"', None),
        (
            '[mqtt]\nhost = "hub.lan"\nhome_assistant = true',
            (Flow.HOME_ASSISTANT, Guard.NONE, None),
        ),
        (
            '[mqtt]\nhost = "hub.lan"\nhome_assistant = true\ntrust = "b.pem"',
            (Flow.HOME_ASSISTANT, Guard.ONE, None),
        ),
    ],
)
def test_questions_and_brokers(
    tmp_path: Path, text: str, expected: tuple[Flow, Guard, float | None] | None
) -> None:
    rows = outflows(config(tmp_path, text), {}, [])
    assert [(r.flow, r.guard, r.every_s) for r in rows] == ([] if expected is None else [expected])
    assert all("key" not in repr(row) for row in rows)  # an address may hold a token


@pytest.mark.parametrize("enabled", [True, False])
def test_browsers_that_are_told_are_named(tmp_path: Path, *, enabled: bool) -> None:
    phone = Subscription(
        "1",
        "https://push.example/x?secret",
        b"",
        b"",
        "Ada",
        "Ada's phone",
        frozenset(),
        "en",
        None,
        1.0,
    )
    text = f"[push]\nenabled = {str(enabled).lower()}\n"
    rows = outflows(config(tmp_path, text), {}, [], [phone])
    assert [(r.flow, r.to, r.host) for r in rows] == (
        [(Flow.PUSH, "Ada's phone", "push.example")] if enabled else []
    )


def test_the_hub_s_name_is_told_on_the_network_where_others_are_served(tmp_path: Path) -> None:
    served = '[web]\nhost = "192.168.1.2"\n'
    (row,) = outflows(config(tmp_path, served), {}, [])
    assert (row.flow, row.reach, row.guard) == (Flow.ANNOUNCED, Reach.HOME, Guard.NONE)
    assert outflows(config(tmp_path, f"{served}announce = false\n"), {}, []) == ()


@pytest.mark.requirement("L2-FEED")
def test_the_enterprise_learns_what_the_owner_agreed_to(tmp_path: Path) -> None:
    asked = '[feeds]\nurl = "https://u.example:8443"\n'
    rows = outflows(config(tmp_path, UTILITY + asked), {}, [])
    told = [(r.flow, r.to, r.host, r.guard, r.every_s) for r in rows if r.host == "u.example"]
    bulletin = (Flow.BULLETIN, "grid", "u.example", Guard.BOTH, 900.0)
    assert told == [bulletin]
    rows = outflows(config(tmp_path, UTILITY + asked + "statistics = true\n"), {}, [])
    assert [(r.flow, r.every_s) for r in rows if r.host == "u.example"] == [
        (Flow.BULLETIN, 900.0),
        (Flow.STATISTICS, 86_400.0),
    ]
    lists = '[firmware]\nurl = "https://u.example:8443/firmware"\nroot = "root.json"\n'
    rows = outflows(config(tmp_path, UTILITY + lists), {}, [])
    assert [(r.flow, r.every_s) for r in rows if r.host == "u.example"] == [
        (Flow.BULLETIN, 86_400.0)
    ]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('[feeds]\nurl = "http://u.example"', "is no https address"),
        ('[feeds]\nurl = "https://u.example?key=1"', "host, port and path, and nothing else"),
        ('[feeds]\nurl = "https://u.example"\nutility = "other"', "no utility 'other'"),
        ("[feeds]\nstatistics = true", "statistics need a url"),
        ('[feeds]\nurl = "https://u.example"\nevery = "1 s"', "every"),
        ('[firmware]\nurl = "https://u.example"', "url and root go together"),
        ('[firmware]\nunknown = "quarantine"', "needs lists"),
        ('[firmware]\nunknown = "perhaps"', "unknown"),
    ],
)
def test_feeds_that_make_no_sense_are_named(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        config(tmp_path, f"{UTILITY}{text}\n")


def test_feeds_need_somebody_who_is_known_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no utility whose certificate could be shown"):
        config(tmp_path, '[feeds]\nurl = "https://u.example"\n')


def test_the_farthest_comes_first(tmp_path: Path) -> None:
    text = DEVICES + '[mqtt]\nhost = "127.0.0.1"\n[planner]\nweather = "https://w.example/"\n'
    rows = outflows(config(tmp_path, text + UTILITY), {}, [])
    assert [row.reach for row in rows] == [*[Reach.BEYOND] * 6, Reach.MACHINE]


def test_how_devices_are_believed(tmp_path: Path) -> None:
    found = {d.id: d for d in trusted(config(tmp_path, DEVICES))}
    ways: Mapping[str, tuple[Guard, Proof, Reach]] = {
        name: (d.guard, d.proof, d.reach) for name, d in found.items()
    }
    assert ways == {
        "meter": (Guard.NONE, Proof.ADDRESS, Reach.HOME),
        "pv": (Guard.ONE, Proof.CERTIFICATE, Reach.HOME),
        "car": (Guard.NONE, Proof.PASSWORD, Reach.MACHINE),
        "wash": (Guard.NONE, Proof.BROKER, Reach.MACHINE),
    }
    assert found["meter"].address == "192.168.1.9:502"
    tls = DEVICES + '[ocpp]\ncertificate = "c.pem"\nkey = "c.key"\n'
    (car,) = (d for d in trusted(config(tmp_path, tls)) if d.id == "car")
    assert (car.guard, car.proof) == (Guard.ONE, Proof.PASSWORD)
    (car,) = (d for d in trusted(config(tmp_path, tls + 'trust = "r.pem"\n')) if d.id == "car")
    assert (car.guard, car.proof) == (Guard.BOTH, Proof.CERTIFICATE)


@pytest.mark.parametrize(
    ("host", "reach"),
    [
        ("127.0.0.1", Reach.MACHINE),
        ("::1", Reach.MACHINE),
        ("[::1]", Reach.MACHINE),
        ("localhost", Reach.MACHINE),
        ("192.168.178.2", Reach.HOME),
        ("fe80::1%eth0", Reach.HOME),
        ("fd12::1", Reach.HOME),
        ("pi", Reach.HOME),
        ("pi.local.", Reach.HOME),
        ("8.8.8.8", Reach.BEYOND),
        ("utility.example", Reach.BEYOND),
        ("local.example", Reach.BEYOND),
        ("0.0.0.0", Reach.BEYOND),  # noqa: S104 - nobody listens there
        ("", Reach.BEYOND),
    ],
)
def test_reach(host: str, reach: Reach) -> None:
    assert reach_of(host) is reach


def test_hosts() -> None:
    assert host_of("https://user:secret@h.example:1/x") == "h.example"
    assert host_of("https://[::1") == ""
