"""What an operator gets wrong, at the door and on the command line: one sentence, and no event."""

import json
from http import HTTPStatus
from pathlib import Path

import aiohttp
import pytest

from tests.faults.bench import Line, run_to_end
from tests.faults.forks import forked

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.requirement("LC-TEST")]

GOOD = '"limit_import_w": 1000'

NONSENSE = [
    ('{"limit_import_w": 1e400, "minutes": 5}', "limit_import_w"),
    ('{"limit_import_w": NaN, "minutes": 5}', "limit_import_w"),
    ('{"limit_import_w": -1, "minutes": 5}', "limit_import_w -1.0 is outside"),
    ('{"limit_import_w": "1.5 kW", "minutes": 5}', "limit_import_w"),
    ('{"limit_import_w": true, "minutes": 5}', "limit_import_w"),
    ('{"limit_everything": 1, "minutes": 5}', "limit_everything"),
    ('{"minutes": 5}', "asks for nothing"),
    (f"{{{GOOD}}}", "minutes or seconds"),
    (f'{{{GOOD}, "minutes": 0}}', "a duration of 0.0 s"),
    (f'{{{GOOD}, "seconds": -60}}', "a duration of -60.0 s"),
    (f'{{{GOOD}, "minutes": 1e9}}', "outside 1 s to 7 days"),
    (f'{{{GOOD}, "minutes": 5, "start": 0}}', "is not epoch seconds"),
    (f'{{{GOOD}, "minutes": 5, "start": 1000000000}}', "in the past"),
    (f'{{{GOOD}, "minutes": 5, "start": 9000000000}}', "more than a year ahead"),
    (f'{{{GOOD}, "minutes": 5, "start": "tomorrow"}}', "neither epoch seconds nor"),
    (f'{{{GOOD}, "minutes": 5, "randomize_start_s": 7200}}', "randomize_start_s 7200"),
    (f'{{{GOOD}, "minutes": 1, "randomize_duration_s": -60}}', "shorten the event to nothing"),
    (f'{{{GOOD}, "minutes": 5, "program": "Nobody"}}', "no programme 'Nobody'"),
    (f'{{{GOOD}, "shed_w": 500, "minutes": 5}}', "no programme carries"),
]


async def count_events(line: Line) -> int:
    """Return how many events the head-end remembers."""
    found = json.loads(await line.rig.operator_get("/events"))
    return len(found["events"])


async def post(line: Line, path: str, body: bytes) -> tuple[int, str]:
    """Post to the operator's door; returns status and error."""
    operator = line.rig.stage.operator
    headers = {"Authorization": f"Bearer {operator.token}"}
    async with (
        aiohttp.ClientSession(operator.url, headers=headers) as session,
        session.post(path, data=body) as answer,
    ):
        return answer.status, str((await answer.json())["error"])


@pytest.mark.parametrize(("body", "said"), NONSENSE, ids=[body for body, _ in NONSENSE])
async def test_an_order_that_makes_no_sense_is_refused_in_one_sentence(
    line: Line, body: str, said: str
) -> None:
    before = await count_events(line)
    status, error = await post(line, "/events", body.encode())
    assert status in {HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.BAD_REQUEST}
    assert said in error
    assert "\n" not in error
    assert await count_events(line) == before


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"", 400), (b"{", 400), (b"\xff", 400), (b"[]", 422), (b" " * 1_000_000, 413)],
)
async def test_a_body_that_is_no_order(line: Line, body: bytes, status: int) -> None:
    got, error = await post(line, "/events", body)
    assert got == status
    assert error
    assert "\n" not in error


async def hems(line: Line | None, *arguments: str, folder: Path) -> tuple[int, str]:
    """Run `hems event` to its end; it must print nothing but one line on stderr."""
    where = folder / "operator.json"
    if line is not None:
        where = line.rig.stage.folder / "headend" / "operator.json"
    code, out, error = await forked("event", *arguments, "--operator", str(where), cwd=folder)
    assert out == ""
    assert error.startswith("hems: ")
    assert error.count("\n") == 1
    return code, error


COMMANDS = [
    (("--limit-import", "3 kWh", "--minutes", "5"), 2, "'3 kWh' is of the kind energy, not power"),
    (("--limit-import", "3000", "--minutes", "5"), 2, "'3000' has no unit"),
    (("--limit-import", "much", "--minutes", "5"), 2, "'much' is not a power"),
    (("--reduce-energy", "3kW", "--minutes", "5"), 2, "'3kW' is of the kind power, not energy"),
    (("--limit-import", "3kW"), 2, "how long the event lasts"),
    (("--minutes", "5"), 2, "say what is asked"),
    (("--limit-import", "3kW", "--minutes", "nan"), 2, "--minutes nan"),
    (("--limit-import", "3kW", "--minutes", "5", "--start", "soon"), 2, "'soon' is not a duration"),
    (("--limit-import", "3kW", "--minutes", "-5"), 1, "a duration of -300"),
    (("--limit-import=-3kW", "--minutes", "5"), 1, "limit_import_w -3000.0 is outside"),
    (("--shed", "1W", "--minutes", "5", "--program", "Nobody"), 1, "no programme 'Nobody'"),
    (("cancel",), 1, "say which event"),
    (("cancel", "0123"), 1, "no event '0123'"),
    (("list", "../homes"), 1, "no event"),
    (("list", "a b?c"), 1, "no event"),
]


@pytest.mark.parametrize(("arguments", "code", "said"), COMMANDS)
async def test_a_command_that_cannot_be_done(
    line: Line, tmp_path: Path, arguments: tuple[str, ...], code: int, said: str
) -> None:
    before = await count_events(line)
    got, error = await hems(line, *arguments, folder=tmp_path)
    assert got == code
    assert said in error
    assert await count_events(line) == before


async def test_without_a_head_end(tmp_path: Path) -> None:
    code, error = await hems(None, "list", folder=tmp_path)
    assert code == 1
    assert "operator.json: cannot be read (No such file or directory); is a head-end" in error
    door = tmp_path / "operator.json"
    for text, said in (
        ("no JSON", "is not an operator file"),
        ('{"url": "http://127.0.0.1:9", "token": "x"}', "does not answer: Connection refused"),
        ('{"url": "gopher://a", "token": "x"}', "not the address"),
    ):
        door.write_text(text, encoding="utf-8")
        code, error = await hems(None, "list", folder=tmp_path)
        assert code == 1
        assert said in error


async def test_with_a_token_of_another_head_end(line: Line, tmp_path: Path) -> None:
    operator = line.rig.stage.operator
    text = json.dumps({"url": operator.url, "token": "another"})
    (tmp_path / "operator.json").write_text(text, encoding="utf-8")
    code, error = await hems(None, "list", folder=tmp_path)
    assert code == 1
    assert "nobody is known by what was shown" in error


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "http://[::1", "file:///etc/passwd"])
async def test_status_of_a_home_that_does_not_answer(tmp_path: Path, url: str) -> None:
    code, out, error = await forked("status", "--url", url, cwd=tmp_path)
    assert (code, out) == (1, "")
    assert error.startswith(f"hems: no home answers at {url}: ")
    assert error.count("\n") == 1


async def test_status_of_what_is_no_home(line: Line, tmp_path: Path) -> None:
    url = line.rig.stage.operator.url
    code, _, error = await run_to_end("status", "--url", url, cwd=tmp_path)
    assert code == 1
    assert "not as a home's page does" in error
    assert error.count("\n") == 1
