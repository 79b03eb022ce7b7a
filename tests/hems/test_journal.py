"""Lines for the journal, and when they are written that way."""

import io
import logging
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from hems.correlation import correlated
from hems.journal import is_journal, prefixed, priority
from hems.logs import Levels, LineFormatter


@pytest.mark.parametrize(
    ("level", "number"),
    [
        (logging.CRITICAL, 2),
        (logging.ERROR, 3),
        (logging.WARNING, 4),
        (logging.INFO, 6),
        (logging.INFO + 5, 6),
        (logging.DEBUG, 7),
        (logging.NOTSET, 7),
    ],
)
def test_levels_are_syslog_s(level: int, number: int) -> None:
    assert priority(level) == number


def test_every_line_of_a_record_has_its_priority() -> None:
    assert prefixed("a\n    b", logging.ERROR) == "<3>a\n<3>    b"
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(LineFormatter("%(asctime)s never", journal=True))
    with pytest.raises(ValueError, match="forged") as caught:
        int("x\n<0>forged")
    error = caught.value
    info = (type(error), error, error.__traceback__)
    record = logging.LogRecord("hems.x", logging.WARNING, "", 0, "it\n<1>is", (), info)
    with correlated("4F2A"):
        handler.handle(record)
    lines = stream.getvalue().splitlines()
    assert lines[0] == "<4>hems.x: it\\n<1>is [4F2A]"
    assert len(lines) > 3
    assert all(line.startswith("<4>    ") for line in lines[1:])


def test_a_variable_that_somebody_else_s_output_has_says_nothing(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w") as file:
        found = os.fstat(file.fileno())
        mine = {"JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino}"}
        assert is_journal(mine, file.fileno())
        other = {"JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino + 1}"}
        assert not is_journal(other, file.fileno())
        assert not is_journal({"JOURNAL_STREAM": "x"}, file.fileno())
        assert not is_journal({}, file.fileno())
    assert not is_journal(mine, 9999)


def test_a_program_whose_output_is_the_journal_writes_for_it() -> None:
    """As journald has it: standard error is a stream socket, named by device and inode."""
    program = (
        "import logging, sys\nfrom hems.logs import log_to_stderr\n"
        "from hems.commands.output import fail\n"
        "log_to_stderr(logging.INFO)\nlogging.getLogger('hems.x').warning('all is not well')\n"
        "fail('a: b')\n"
    )
    ours, theirs = socket.socketpair()
    with ours, theirs:
        found = os.fstat(theirs.fileno())
        subprocess.run(
            [sys.executable, "-c", program],
            stderr=theirs.fileno(),
            env={**os.environ, "JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino}"},
            check=True,
            timeout=60.0,
        )
        assert ours.recv(9999).decode() == "<4>hems.x: all is not well\n<3>hems: a: b\n"
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        env={**os.environ, "JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino}"},
        check=True,
        timeout=60.0,
    )
    assert re.match(rb"\d{4}-.* WARNING hems\.x all is not well\nhems: a: b\n", done.stderr)


def test_parts_say_as_much_as_they_are_told_to() -> None:
    names = ("hems.one", "hems.one.two", "hems.three", "hems")
    levels = Levels({"hems.three": logging.ERROR})
    try:
        levels.apply(None, {"hems.one": logging.DEBUG, "hems.three": logging.DEBUG})
        assert logging.getLogger("hems.one.two").getEffectiveLevel() == logging.DEBUG
        assert logging.getLogger("hems.three").level == logging.ERROR, "the command line prevails"
        levels.apply(logging.WARNING, {})
        assert logging.getLogger("hems.one.two").getEffectiveLevel() == logging.WARNING
        assert logging.getLogger("hems.three").level == logging.ERROR
        assert logging.getLogger("aiohttp").level == logging.NOTSET
        levels.apply(None, {})
        assert logging.getLogger("hems").level == logging.NOTSET
    finally:
        for name in (*names, "der", "programs", "web", "certs"):
            logging.getLogger(name).setLevel(logging.NOTSET)
