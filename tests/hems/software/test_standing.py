"""How an offer and a change of version stand, by the record: a table."""

import pytest

from hems import bulletin
from hems.bulletin import Package, Release
from hems.software.proof import GIVE_UP_S, Course, Seen, looked
from hems.software.standing import Terms, is_news, offer, stage
from hems.software.surface import Stage
from hems.software.switch import MOST_STARTS, State, Verdict, armed, installed, returned, started
from web.words import tell

pytestmark = pytest.mark.requirement("LC-PATCH")

TERMS = Terms("3.11", "aarch64", "maker", "example.org", "")
READY = installed(State(), "0.2.0", migrates=False)
TRIAL = started(armed(READY))


def release(*, python: str = "3.11", machine: str = "any") -> Release:
    package = Package(
        file="hems-0.2.0.tar.gz",
        version="0.2.0",
        python=python,
        machine=machine,
        least="0.1.0",
        form="0011",
        needs=0,
    )
    return Release(
        version="0.2.0",
        file="hems.deb",
        state=bulletin.State.LATEST,
        advisory="Mends a fault",
        packages=(package,),
    )


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (State(), (Stage.IDLE, "")),
        (READY, (Stage.BESIDE, "0.2.0")),
        (armed(READY), (Stage.ARMED, "0.2.0")),
        (TRIAL, (Stage.TRIAL, "0.2.0")),
        (returned(TRIAL, "it fell"), (Stage.IDLE, "")),
    ],
)
def test_how_far_a_change_is(state: State, expected: tuple[Stage, str]) -> None:
    assert stage(state) == expected


@pytest.mark.parametrize(
    ("state", "put_off", "python", "machine", "news"),
    [
        (State(), "", "3.11", "any", True),
        (State(), "0.1.9", "3.11", "aarch64", True),
        (State(), "0.2.0", "3.11", "any", False),
        (State(), "", "3.13", "any", False),
        (State(), "", "3.11", "x86_64", False),
        (READY, "", "3.11", "any", True),
        (armed(READY), "", "3.11", "any", False),
        (TRIAL, "", "3.11", "any", False),
        (returned(TRIAL, "it fell"), "", "3.11", "any", False),
    ],
)
def test_what_is_news(state: State, put_off: str, python: str, machine: str, *, news: bool) -> None:
    terms = Terms(TERMS.python, TERMS.machine, TERMS.vendor, TERMS.provider, put_off)
    offered = offer(release(python=python, machine=machine), state, terms)
    assert offered is not None
    assert (offered.version, offered.words) == ("0.2.0", "Mends a fault")
    assert is_news(offered, state) is news


def test_nothing_is_offered() -> None:
    assert offer(None, State(), TERMS) is None


def test_why_a_version_was_taken_back_is_told_in_the_owners_language() -> None:
    """It comes from the record, as plain text."""
    course = Course(Seen(frozenset({"pv", "2"}), frozenset({"demo"})), 0.0)
    why = "; ".join(looked(course, Seen(), -1, GIVE_UP_S).missing)
    assert why == (
        "nothing is decided; 2 does not answer; pv does not answer; no connection with demo"
    )
    assert tell(started(TRIAL, Verdict(1, good=False, why=why)).why, "de") == (
        "nichts wird entschieden; 2 antwortet nicht; pv antwortet nicht; keine Verbindung mit demo"
    )
    silent = started(TRIAL, Verdict(1, good=False))
    assert tell(silent.why, "de") == "sie hat sich nicht bewährt"
    often = TRIAL
    for _ in range(MOST_STARTS):
        often = started(often)
    assert tell(often.why, "de") == f"sie hat sich in {MOST_STARTS} Starts nicht bewährt"
