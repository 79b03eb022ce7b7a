"""`hems headend aggregator ...` against a real head-end, and the operator's door by name."""

import asyncio
import json
from pathlib import Path

import pytest

from hems.cli import main
from hems.headend.server import HeadEnd
from tests.hems.headend.aggregators.conftest import ALIEN, A, B
from tests.hems.headend.conftest import PIN, Operator

pytestmark = pytest.mark.requirement("PRO-2030.5")
ONE = "F0" * 20


class Desk:
    """A terminal of the operator's."""

    def __init__(self, head_end: HeadEnd, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._file = file
        self._capsys = capsys
        door = {"url": head_end.addresses.operator_url, "token": head_end.token}
        file.write_text(json.dumps(door))

    async def run(self, *words: str) -> tuple[int, str, str]:
        """Run the command; returns exit code, stdout, stderr."""
        arguments = ["headend", "aggregator", *words, "--operator", str(self._file)]
        code = await asyncio.to_thread(main, arguments)
        said = self._capsys.readouterr()
        return code, said.out, said.err


@pytest.fixture
def desk(head_end: HeadEnd, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    return Desk(head_end, tmp_path / "operator.json", capsys)


async def test_an_aggregator_s_life_at_the_terminal(desk: Desk, tmp_path: Path) -> None:
    assert await desk.run("list") == (0, "no aggregator is entered\n", "")
    code, said, _ = await desk.run("add", ONE, "--pin", PIN, "--most", "3")
    assert (code, said) == (0, f"{ONE}  speaks for 0 of at most 3 homes\n")
    table = tmp_path / "homes.csv"
    table.write_text(f"lfdi;pin\n{A};{PIN}\n{B.lower()};\n")
    for _ in range(2):  # said again, nothing changes
        code, said, _ = await desk.run("give", ONE, str(table))
        assert (code, said) == (0, f"{ONE}  speaks for 2 of at most 3 homes\n")
    code, said, _ = await desk.run("homes", ONE)
    first, second = said.splitlines()
    assert first == f"{A}  PIN {PIN}, csip-aus, entered by the utility"
    assert second.startswith(f"{B}  PIN ")
    code, said, _ = await desk.run("change", ONE, "--may-register")
    assert said == f"{ONE}  speaks for 2 of at most 100000 homes, may enter more by itself\n"
    code, said, _ = await desk.run("release", ONE, A)
    assert (code, said.split("  ")[1][:16]) == (0, "speaks for 1 of ")
    code, _, told = await desk.run("drop", ONE)
    assert (code, told) == (1, f"hems: aggregator {ONE} speaks for 1 homes; release them\n")
    await desk.run("release", ONE, B)
    assert (await desk.run("drop", ONE))[0] == 0


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("name\nx\n", "line 1: 'name' is no column"),
        ("pin\n123455\n", "column lfdi is missing"),
        ("lfdi\nnonsense\n", "lfdi must be 40 hex digits"),
        (f"lfdi,pin\n{A},123456\n", "pin must be 6 digits"),
        (f"lfdi\n{A},{B}\n", "line 2"),
        (f"lfdi\n{A}\n{ONE}\n", "an aggregator itself"),
    ],
)
async def test_a_bad_file_is_refused_by_name(
    desk: Desk, operator: Operator, tmp_path: Path, table: str, said: str
) -> None:
    await desk.run("add", ONE, "--pin", PIN)
    path = tmp_path / "homes.csv"
    path.write_text(table)
    code, _, told = await desk.run("give", ONE, str(path))
    assert code == 1
    assert said in told
    assert (await operator.ask("GET", f"/aggregators/{ONE}"))[1]["homes"] == 0


@pytest.mark.parametrize(
    ("ask", "body", "status", "said"),
    [
        (f"GET /aggregators/{ALIEN}", None, 404, "no aggregator"),
        (f"PUT /aggregators/{ALIEN}", {}, 404, "no aggregator"),
        (f"DELETE /aggregators/{ALIEN}", None, 404, "no aggregator"),
        (f"GET /aggregators/{ALIEN}/homes", None, 404, "no aggregator"),
        (f"POST /aggregators/{ALIEN}/homes", {"homes": [{"lfdi": A}]}, 404, "no aggregator"),
        (f"DELETE /aggregators/{ONE}/homes/{A}", None, 404, "speaks for no home"),
        ("POST /aggregators", {"lfdi": ONE, "pin": PIN}, 409, "already"),
        ("POST /aggregators", {"lfdi": "12", "pin": PIN}, 422, "lfdi must be"),
        ("POST /aggregators", {"lfdi": ALIEN, "pin": "1"}, 422, "pin must be"),
        (f"PUT /aggregators/{ONE}", {"most": -1}, 422, "most"),
        (f"PUT /aggregators/{ONE}", {"may": True}, 422, "may"),
        (f"POST /aggregators/{ONE}/homes", {"homes": []}, 422, "homes"),
        (f"GET /aggregators/{ONE}/homes?limit=0", None, 400, "limit"),
    ],
)
async def test_what_makes_no_sense_is_named(
    operator: Operator, ask: str, body: object, status: int, said: str
) -> None:
    wish = {"lfdi": ONE, "pin": PIN}
    assert (await operator.ask("POST", "/aggregators", wish))[0] == 201
    method, path = ask.split(" ")
    answered, told = await operator.ask(method, path, body)
    assert (answered, said in told["error"]) == (status, True), told
    assert (await operator.ask("GET", "/aggregators"))[1]["aggregators"] == [
        {"lfdi": ONE, "may_register": False, "most": 100_000, "homes": 0}
    ]


async def test_homes_come_in_pages(operator: Operator) -> None:
    assert (await operator.ask("POST", "/aggregators", {"lfdi": ONE, "pin": PIN}))[0] == 201
    wanted = [f"{number:040X}" for number in range(25)]
    body = {"homes": [{"lfdi": lfdi} for lfdi in reversed(wanted)]}
    assert (await operator.ask("POST", f"/aggregators/{ONE}/homes", body))[0] == 201
    found: list[str] = []
    after = ""
    while True:
        query = f"limit=10&after={after}" if after else "limit=10"
        _, page = await operator.ask("GET", f"/aggregators/{ONE}/homes?{query}")
        found += [home["lfdi"] for home in page["homes"]]
        if page["next"] is None:
            break
        after = page["next"]
    assert found == wanted
