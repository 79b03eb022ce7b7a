"""Whether a hub can be relied on: rules as a table."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certs.agent.tree import What
from hems.agent.judge import SILENT_S, Heard, Memory, counting, remembered, troubles
from hems.agent.letters import BootWord, LetterError, ManifestWord, State, WrongWord, read_state
from hems.security_event import EventKind

pytestmark = [pytest.mark.requirement("L1-TAMPER"), pytest.mark.requirement("L1-AGENT")]

ZERO, ONE = "0" * 64, "1" * 64
MANIFEST = ManifestWord(publisher="Example Energy", version="1.0", number=5, until=2_000_000_000)
WELL = State(at=0.0, checked=True, manifest=MANIFEST)
BOOT = BootWord(registers={"0": ZERO, "7": ZERO}, key="aa")
RULES = WrongWord(path="hems/rules.py", what=What.CHANGED)


def said(**more: object) -> Heard:
    return Heard(WELL.model_copy(update=more))


def kinds(
    heard: Heard | None, memory: Memory | None = None, silent_s: float = 0.0, *, boot: bool = True
) -> list[EventKind]:
    found = troubles(heard, silent_s, memory or Memory(), boot=boot)
    return [each.kind for each in found]


PACKAGE, START, SILENT = (
    EventKind.PACKAGE_TAMPERED,
    EventKind.BOOT_CHANGED,
    EventKind.AGENT_SILENT,
)


@pytest.mark.parametrize(
    ("heard", "memory", "found"),
    [
        (None, Memory(), []),
        (said(), Memory(), []),
        (said(), Memory(number=5), []),
        (said(), Memory(number=6), [PACKAGE]),
        (said(manifest=None, checked=False), Memory(number=6), []),
        (said(manifest=None, error="it is damaged"), Memory(), [PACKAGE]),
        (said(wrong=(RULES,), count=1), Memory(), [PACKAGE]),
        (said(wrong=(RULES,), count=9), Memory(), [PACKAGE]),
        (said(boot=BOOT), Memory(), []),
        (said(boot=BOOT), Memory(boot={"0": ZERO}, key="aa"), []),
        (said(boot=BOOT), Memory(boot={"0": ONE}, key="aa"), [START]),
        (said(boot=BOOT), Memory(boot={"0": ZERO, "4": ZERO}, key="aa"), [START]),
        (said(boot=BOOT), Memory(boot={"0": ZERO}, key="bb"), [START]),
        (said(boot=BootWord(error="it is away")), Memory(), [START]),
        (Heard(said(boot=BOOT).state, "of another time"), Memory(), [START]),
        (
            said(boot=BOOT, wrong=(RULES,), count=1),
            Memory(boot={"7": ONE}, key="aa"),
            [PACKAGE, START],
        ),
    ],
)
def test_what_was_said_decides(heard: Heard | None, memory: Memory, found: list[EventKind]) -> None:
    assert kinds(heard, memory) == found
    assert kinds(heard, memory, SILENT_S) == found
    assert kinds(heard, memory, SILENT_S + 0.1) == [SILENT]
    assert START not in kinds(heard, memory, boot=False)


def test_the_manifests_word_on_the_start_prevails_over_the_first_one_seen() -> None:
    named = MANIFEST.model_copy(update={"boot": {"0": ZERO}})
    seen = Memory(boot={"0": ONE, "7": ZERO}, key="aa")
    assert kinds(said(manifest=named, boot=BOOT), seen) == []
    assert kinds(said(manifest=named, boot=BOOT), replace(seen, boot={"7": ONE})) == [START]


def test_the_files_are_named() -> None:
    (one,) = troubles(said(wrong=(RULES,), count=1), 0.0, Memory(), boot=True)
    assert one.text == (
        "This hub's software is not what Example Energy signed: hems/rules.py was changed."
    )
    (many,) = troubles(said(wrong=(RULES,), count=9), 0.0, Memory(), boot=True)
    assert "9 files differ, the first is hems/rules.py" in many.text


TAMPERED = said(wrong=(RULES,), count=1)
BEGINS = said(checked=False, manifest=None)


@pytest.mark.parametrize(
    ("before", "heard", "boot", "which"),
    [
        (None, BEGINS, False, 1),
        (said(), BEGINS, False, 1),
        (TAMPERED, BEGINS, False, 0),
        (TAMPERED, said(checked=False), False, 0),
        (TAMPERED, said(), False, 1),
        (TAMPERED, said(), True, 0),
        (TAMPERED, said(boot=BOOT), True, 1),
        (TAMPERED, said(checked=False, wrong=(RULES,), count=2), False, 1),
        (TAMPERED, said(checked=False, manifest=None, error="it is damaged"), False, 1),
        (said(boot=BootWord(error="it is away")), said(), True, 0),
        (said(manifest=None, error="it is damaged"), BEGINS, False, 0),
    ],
)
def test_an_agent_that_has_just_begun_takes_nothing_back(
    before: Heard | None, heard: Heard, boot: bool, which: int
) -> None:
    assert counting(before, heard, Memory(), boot=boot) is (before, heard)[which]


@pytest.mark.parametrize(
    ("heard", "before", "after"),
    [
        (said(), Memory(), Memory(number=5)),
        (said(), Memory(number=7), Memory(number=7)),
        (said(checked=False), Memory(), Memory()),
        (said(wrong=(RULES,), count=1), Memory(), Memory()),
        (said(boot=BOOT), Memory(5), Memory(5, BOOT.registers, "aa")),
        (said(boot=BOOT), Memory(5, {"0": ONE}, "aa"), Memory(5, {"0": ONE}, "aa")),
        (Heard(said(boot=BOOT).state, "not proved"), Memory(5), Memory(5)),
        (said(boot=BootWord(error="it is away")), Memory(5), Memory(5)),
    ],
)
def test_the_first_start_and_the_newest_manifest_are_remembered(
    heard: Heard, before: Memory, after: Memory
) -> None:
    assert remembered(heard, before) == after
    assert remembered(heard, after) == after


@given(numbers=st.lists(st.integers(1, 20), min_size=1))
def test_no_manifest_comes_back_once_a_newer_one_was_in_use(numbers: list[int]) -> None:
    memory, newest = Memory(), 0
    for number in numbers:
        heard = said(manifest=MANIFEST.model_copy(update={"number": number}))
        assert bool(kinds(heard, memory)) is (number < newest)
        memory, newest = remembered(heard, memory), max(newest, number)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"at": NaN, "checked": true}',
        b'{"at": 1, "checked": true, "count": -1}',
        b'{"at": 1, "checked": true, "wrong": [{"path": "x", "what": "eaten"}]}',
        b'{"at": 1, "checked": true, "notices": [{"kind": "other"}]}',
        b'{"at": 1, "checked": true, "boot": {"registers": {"0": "zz"}}}',
    ],
)
def test_a_letter_that_makes_no_sense_is_refused(body: bytes) -> None:
    with pytest.raises(LetterError):
        read_state(body)
