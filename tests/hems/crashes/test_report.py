"""A crash report tells where, and nothing of the home: with secrets planted wherever they go."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hems.crashes.report import LARGEST, WITHHELD, Report, faults, hard_faults
from hems.crashes.versions import versions

pytestmark = pytest.mark.requirement("PRV-CRYPT")

SECRET = st.text("abcdefghijkmnpqrstuvwxyzABCDEFGHJK23456789 -:/@", min_size=8, max_size=60).map(
    lambda text: f"q{text}q"
)


class HomeError(Exception):
    """An error that keeps what it was about."""

    def __init__(self, about: str) -> None:
        super().__init__(f"no device {about!r}")
        self.about = about


def plain(secret: str) -> None:
    raise ValueError(secret)


def keyed(secret: str) -> None:
    known: dict[str, int] = {}
    known[secret]


def filed(secret: str) -> None:
    Path("/nowhere", secret).read_text(encoding="utf-8")


def own(secret: str) -> None:
    raise HomeError(secret)


def caused(secret: str) -> None:
    try:
        own(secret)
    except HomeError as error:
        error.add_note(secret)
        raise RuntimeError(f"for {secret}") from error


def within(secret: str) -> None:
    try:
        plain(secret)
    except ValueError:
        keyed(secret)


def grouped(secret: str) -> None:
    parts = []
    for part in (plain, caused, filed):
        try:
            part(secret)
        except Exception as error:  # noqa: BLE001 - whatever each raises is what is looked at
            parts.append(error)
    raise ExceptionGroup(secret, parts)


def numbered(secret: str) -> None:
    int(secret)


def run_code(secret: str) -> None:
    exec(compile(f"def f():\n    raise ValueError({secret!r} + '')\nf()", secret, "exec"), {})  # noqa: S102 - a file of that name


WAYS = (plain, keyed, filed, own, caused, within, grouped, numbered, run_code)


def told(error: BaseException) -> str:
    return Report(1.0, "the process", versions(), ("controls the home",), faults(error)).text()


@given(SECRET, st.sampled_from(WAYS))
def test_no_planted_secret_gets_through(secret: str, way: object) -> None:
    assert callable(way)
    try:
        way(secret)
    except Exception as error:  # noqa: BLE001 - whatever it raises is what is looked at
        text = told(error)
    assert secret not in text
    assert secret.strip("q ") not in text
    assert all(part not in text for part in secret.split() if len(part) > 4)
    assert "test_report" in text, "where it was is told"


def test_where_and_what_is_told() -> None:
    with pytest.raises(RuntimeError) as caught:
        caused("the bath's PIN")
    lines = faults(caught.value)
    assert lines[0] == f"RuntimeError {WITHHELD}"
    assert any("test_report:" in line and line.endswith("in caused") for line in lines)
    (cause,) = [line for line in lines if line.startswith("because of: ")]
    assert cause.endswith(f"HomeError {WITHHELD}")


def test_a_message_that_stands_in_the_code_is_told() -> None:
    def fail() -> None:
        raise ValueError("the image is older than the last one")

    with pytest.raises(ValueError, match="older") as caught:
        fail()
    assert faults(caught.value)[0] == "ValueError 'the image is older than the last one'"


def test_an_error_of_the_system_is_told_by_its_number() -> None:
    with pytest.raises(FileNotFoundError) as caught:
        filed("anna")
    assert faults(caught.value)[0] == f"FileNotFoundError ENOENT {WITHHELD}"


def test_a_deep_one_and_a_large_one_stay_small() -> None:
    def deep(left: int) -> None:
        if not left:
            raise ValueError
        deep(left - 1)

    with pytest.raises(ValueError, match=r"^$") as caught:
        deep(300)
    assert len(faults(caught.value)) < 70
    huge = Report(1.0, "x", (), (), ["x" * 100] * 5000).text()
    assert len(huge) < LARGEST + 1000
    assert "2" not in huge.split("at: ")[0]


def test_one_that_causes_itself_ends() -> None:
    error = ValueError("a")
    other = ValueError("b")
    error.__cause__, other.__cause__ = other, error
    assert len(faults(error)) == 2


@given(st.lists(st.sampled_from(["A", "B"]), max_size=4), SECRET)
def test_of_what_the_interpreter_wrote_only_known_forms_pass(kinds: list[str], secret: str) -> None:
    lines = ["Fatal Python error: Aborted", ""]
    for kind in kinds:
        lines.append(f"Thread 0x00007f3a1 [{secret}] (most recent call first):")
        folder = secret.replace("/", "") if kind == "A" else f"{secret}/hems/cem"
        lines.append(f'  File "/home/{folder}/cycle.py", line 12 in Cycle._decide')
        lines.append(f"  {secret}")
    out = hard_faults("\n".join(lines))
    assert out[0] == "Aborted"
    assert secret not in "\n".join(out)
    assert out.count("  hems/cem/cycle.py:12 in Cycle._decide") == kinds.count("B")
    assert out.count("  ?:12 in Cycle._decide") == kinds.count("A")


def test_what_a_real_interpreter_wrote_is_read(tmp_path: Path) -> None:
    program = (
        "import faulthandler, os, sys, json.decoder\n"
        f"file = open({str(tmp_path / 'x')!r}, 'wb')\n"
        "faulthandler.enable(file)\n"
        "class A(str):\n"
        "    def __str__(self): os.abort()\n"
        "json.decoder.JSONDecoder(object_hook=lambda d: str(A())).decode('{}')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], check=False, timeout=60.0)
    assert done.returncode < 0
    out = hard_faults((tmp_path / "x").read_text(encoding="utf-8"))
    assert out[:2] == ["Aborted", "current thread"]
    assert any("json/decoder.py:" in line for line in out), out
    assert str(Path.home()) not in "\n".join(out)
