"""One line a record, whatever is in it."""

import io
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hems.logs import LineFormatter, escaped

FORMAT = "%(levelname)s %(name)s %(message)s"


def written(message: str, error: BaseException | None = None) -> str:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(LineFormatter(FORMAT))
    info = None if error is None else (type(error), error, error.__traceback__)
    handler.handle(logging.LogRecord("a", logging.WARNING, "", 0, "%s", (message,), info))
    return stream.getvalue()


@pytest.mark.parametrize(
    ("message", "line"),
    [
        ("plain", "plain"),
        ("Z\u00fcrich 5 \u20ac", "Z\u00fcrich 5 \u20ac"),
        ("x\n2026-11-21 CRITICAL forged", r"x\n2026-11-21 CRITICAL forged"),
        ("x\r\x1b[2Kgone\x00", r"x\r\x1b[2Kgone\x00"),
        ("a\u2028b\x85c", r"a\u2028b\x85c"),
        ("a\u202egpj.exe", r"a\u202egpj.exe"),
    ],
)
def test_control_characters_are_escaped(message: str, line: str) -> None:
    assert written(message) == f"WARNING a {line}\n"


@given(st.text())
def test_every_record_is_one_line(message: str) -> None:
    assert len(written(message).splitlines()) == 1
    assert escaped(escaped(message)) == escaped(message)


def _fail(words: str) -> None:
    raise ValueError(words)


def test_a_traceback_forges_no_line() -> None:
    with pytest.raises(ValueError, match="forged") as caught:
        _fail("x\n2026-11-21 CRITICAL forged\x1b[0m")
    text = written("it failed", caught.value)
    first, *rest = text.splitlines()
    assert first == "WARNING a it failed"
    assert "Traceback" in rest[0]
    assert "test_logs.py" in text
    assert all(line.startswith("    ") for line in rest)
    assert "\x1b" not in text
