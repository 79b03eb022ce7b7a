"""What hub and regulating process write to each other comes out as it went in."""

from pathlib import Path

import pytest

from der.addresses import BrokerSettings, ModbusAddress, Shared, TlsFiles
from der.description import DeviceDescription
from der.model import Alarm, Control, DeviceKind, DeviceSpec, Phase, PhaseReading, Reading, RunState
from hems.regulation.errors import LetterError
from hems.regulation.letters import (
    Answer,
    Base,
    Done,
    LetGo,
    LoopSettings,
    Ready,
    Report,
    Span,
    Take,
    Tick,
    Time,
    Word,
    read_answer,
    read_opening,
    read_word,
    write_answer,
    write_opening,
    write_word,
)
from hems.regulation.settings import Source
from programs.frequency import COMMON_DROOP
from programs.score import Sample

BATTERY = DeviceDescription(
    DeviceSpec(
        "battery",
        DeviceKind.BATTERY,
        "Battery",
        Control.TARGET,
        -5000.0,
        5000.0,
        phases=(Phase.A, Phase.B),
    ),
    "sunspec",
    ModbusAddress("127.0.0.1", 1502, tls=TlsFiles(Path("trust.pem"))),
)
READING = Reading(
    1.0,
    -500.0,
    frequency_hz=49.98,
    soc=0.5,
    phases=(PhaseReading(1.0, 230.0), PhaseReading()),
    alarms=frozenset({Alarm.FAULT}),
    state=RunState.RUNNING,
    taken={"soc": 0.5},
    suspect=frozenset({"temp_c"}),
    regulated_w=-100.0,
)


def test_the_opening() -> None:
    source = Source(BrokerSettings("b", 8883, "u", "p", TlsFiles(Path("t.pem"))), "topic")
    settings = LoopSettings("battery", "meter", 2000.0, COMMON_DROOP, source=source, last=7)
    told = read_opening(write_opening([BATTERY], Shared(), settings, 1.5))
    assert told.devices == (BATTERY,)
    assert told.settings == settings
    assert told.shared == Shared()
    assert told.ahead_s == 1.5


@pytest.mark.parametrize(
    "word",
    [
        Base(1, -5.0, 30.0, None, -1.0, 2.0),
        Base(2, None, 0, None, 0, 0),
        Span(0, 1),
        Take(),
        LetGo(4),
        Time(-1.7e9),
    ],
)
def test_words(word: Word) -> None:
    assert read_word(write_word(word)) == word


@pytest.mark.parametrize(
    "answer",
    [
        Ready("usual priority"),
        Done(3, "battery: away"),
        Report(None, "away", 0.0, -1, "", followed=False),
        Report(
            READING,
            "",
            -100.0,
            9,
            "no signal",
            followed=True,
            ticks=(Tick(1.0, 1.1, 1.2, None), Tick(2.0, 2.1, 2.2, 2.3)),
            samples=(Sample(0.5, 0.4),),
        ),
    ],
)
def test_answers(answer: Answer) -> None:
    assert read_answer(write_answer(answer)) == answer


@pytest.mark.parametrize("line", [b"", b"{}", b"[]", b'{"devices": 1}', b"\xff", b'{"word": "x"}'])
def test_nonsense_is_one_clear_error(line: bytes) -> None:
    with pytest.raises(LetterError):
        read_opening(line)
    with pytest.raises(LetterError):
        read_word(line)
    with pytest.raises(LetterError):
        read_answer(line)


def test_a_full_report_fits_into_the_pipe_at_once() -> None:
    """PIPE_BUF bytes go as a whole or not at all."""
    ticks = tuple(Tick(1e6 + n, 1e6 + n, 1e6 + n, 1e6 + n) for n in range(8))
    said = Report(READING, "e" * 300, 1.0, 1 << 52, "t" * 300, True, ticks, (Sample(0.1, 0.2),) * 4)
    assert len(write_answer(said)) < 4096
