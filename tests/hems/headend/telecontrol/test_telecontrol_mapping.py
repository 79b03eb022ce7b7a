"""The mapping table: what rows say, and each mistake by its place."""

from pathlib import Path

import pytest

from hems.cli import main
from hems.headend.errors import SettingsError
from hems.headend.modes import Mode
from hems.headend.settings import load_settings
from hems.headend.telecontrol.asdu import Quality, Type
from hems.headend.telecontrol.mapping import judge_file, load_table
from hems.headend.telecontrol.points import Commanded, Quantity, Seen
from hems.headend.telecontrol.reporting import Figure, Reporter, told
from hems.headend.telecontrol.selects import Selects
from tests.hems.headend.telecontrol.conftest import TABLE

pytestmark = pytest.mark.requirement("PRO-GATEWAY")

HEAD = TABLE.splitlines()[0]


def test_rows_say_what_they_map(table: Path) -> None:
    found = load_table(table)
    assert found.commons == (1, 2)
    assert found.groups == {None, "nowhere"}
    assert found.programs == {"Energy Support"}
    assert found.seen[1, 102] == Seen(
        (1, 102), Quantity.COULD_SHED, None, 1000.0, 0.5, 0.0, interrogation=2
    )
    assert found.commanded[1, 201] == Commanded(
        (1, 201), Type.C_SE_NC_1, Mode.SHED, None, 1000.0, 60.0, "Energy Support", True, True
    )
    assert found.commanded[1, 210].ends == 200


def row(**cells: str) -> str:
    return ",".join(cells.pop(name, "") for name in HEAD.split(",")) + "".join(cells)


GOOD = {"common": "1", "address": "9", "type": "M_ME_TF_1", "carries": "homes"}
SET = {
    "common": "1",
    "address": "9",
    "type": "C_SE_NC_1",
    "carries": "limit_import_w",
    "minutes": "5",
}
END = {"common": "1", "address": "9", "type": "C_SC_NA_1", "carries": "end", "ends": "8"}


@pytest.mark.parametrize(
    ("cells", "column", "why"),
    [
        (GOOD | {"common": "0"}, "common", "outside 1 to 65534"),
        (GOOD | {"common": "65535"}, "common", "outside"),
        (GOOD | {"common": "x"}, "common", "no whole number"),
        (GOOD | {"address": ""}, "address", "is needed"),
        (GOOD | {"address": "16777216"}, "address", "outside"),
        (GOOD | {"address": "٣"}, "address", "no whole number"),
        (GOOD | {"type": "M_DP_NA_1"}, "type", "not known"),
        (GOOD | {"carries": "weather"}, "carries", "cannot be seen"),
        (GOOD | {"carries": "event_running"}, "type", "event_running is M_SP_TB_1"),
        (GOOD | {"group": "a b"}, "group", "no id"),
        (GOOD | {"scale": "0"}, "scale", "no scale"),
        (GOOD | {"scale": "nan"}, "scale", "outside"),
        (GOOD | {"dead_band": "-1"}, "dead_band", "outside"),
        (GOOD | {"period_s": "soon"}, "period_s", "no number"),
        (GOOD | {"interrogation": "17"}, "interrogation", "outside 1 to 16"),
        (GOOD | {"minutes": "5"}, "minutes", "means nothing"),
        (SET | {"carries": "connect"}, "carries", "no command"),
        (SET | {"carries": "volt_var"}, "carries", "no command"),
        (SET | {"minutes": ""}, "minutes", "is needed"),
        (SET | {"minutes": "20000"}, "minutes", "outside"),
        (SET | {"amount": "all"}, "amount", "does not add up"),
        (SET | {"amount": "some"}, "amount", "neither of"),
        (SET | {"direct": "maybe"}, "direct", "neither of"),
        (SET | {"value": "3"}, "value", "brings its own"),
        (SET | {"ends": "3"}, "ends", "means nothing"),
        (SET | {"dead_band": "3"}, "dead_band", "means nothing"),
        (SET | {"type": "C_SC_NA_1"}, "value", "is needed"),
        (END, "ends", "no command at address 8"),
        (END | {"type": "C_SE_NC_1"}, "type", "end is C_SC_NA_1"),
        (END | {"minutes": "4"}, "minutes", "means nothing"),
        (END | {"ends": "9"}, "ends", "no command at address 9"),
    ],
)
def test_each_mistake_is_named_by_its_place(
    tmp_path: Path, cells: dict[str, str], column: str, why: str
) -> None:
    path = tmp_path / "points.csv"
    path.write_text(f"{HEAD}\n{row(**(GOOD | {'address': '5'}))}\n{row(**cells)}\n", "utf-8")
    problems = judge_file(path).problems
    assert [(each.line, each.column) for each in problems] == [(3, column)]
    assert why in problems[0].reason
    with pytest.raises(SettingsError, match=rf"points.csv, line 3, {column}: "):
        load_table(path)


def test_an_address_is_given_once(tmp_path: Path) -> None:
    path = tmp_path / "points.csv"
    path.write_text(f"{HEAD}\n{row(**GOOD)}\n{row(**SET)}\n{row(**GOOD)}\n")
    assert [(each.line, each.column) for each in judge_file(path).problems] == [
        (3, "address"),
        (4, "address"),
    ]


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", f"{HEAD}\n", f"{HEAD},common\n"])
def test_what_is_no_table_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "points.csv"
    path.write_text(text)
    with pytest.raises(SettingsError, match=r"points\.csv"):
        load_table(path)


def test_the_command_says_what_a_table_maps(
    table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["headend", "telecontrol", "--check", str(table)]) == 0
    said = capsys.readouterr().out
    assert "1/201  C_SE_NC_1  shed_w for everybody, together, 60 min, 1 is 1000" in said
    assert "1/210  C_SC_NA_1  end what 1/200 has ordered" in said
    assert "9 points to see, 5 to command" in said
    table.write_text(TABLE.replace("1,100,", "1,x,"))
    assert main(["headend", "telecontrol", "--check", str(table)]) == 1
    assert "line 2, address: 'x' is no whole number" in capsys.readouterr().err
    assert main(["headend", "telecontrol", "--check", str(table.parent / "none.csv")]) == 1
    assert "cannot be read" in capsys.readouterr().err


CENTRE = '[[telecontrol.centres]]\nname = "scada"\n'
FILES = "".join(f'{name} = "x.pem"\n' for name in ("certificate", "key", "roots", "crls"))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (CENTRE, "name its addresses"),
        (f'{CENTRE}addresses = ["10.0.0.300"]\n', "neither an address nor a network"),
        (f'host = "0.0.0.0"\n{CENTRE}addresses = ["10.0.0.0/8"]\n', "not a loopback address"),
        (f'certificate = "x.pem"\n{CENTRE}', "key is missing"),
        (f"{FILES}{CENTRE}", "its certificate's subject"),
        (f'{FILES}{CENTRE}subject = "scada"\n', "no subject"),
        (f't2_s = 15\n{CENTRE}addresses = ["::1"]\n', "shorter than t1_s"),
        (f'w = 13\n{CENTRE}addresses = ["::1"]\n', "not be more than k"),
        (f'{CENTRE}addresses = ["::1"]\n{CENTRE}addresses = ["::1"]\n', "same name"),
        ("centres = []\n", "centres"),
    ],
)
def test_settings_that_make_no_sense_are_refused(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "headend.toml"
    names = ("database", "certificate", "key", "roots", "crls", "token_file")
    head = "".join(f'{name} = "{name}"\n' for name in names)
    path.write_text(f'{head}[telecontrol]\ntable = "points.csv"\n{text}')
    with pytest.raises(SettingsError, match=why):
        load_settings(path)


def seen(scale: float = 1.0, dead_band: float = 0.0, period_s: float = 0.0) -> Seen:
    return Seen((1, 1), Quantity.POWER, None, scale, dead_band, period_s)


@pytest.mark.parametrize(
    ("dead_band", "period_s", "steps"),
    [
        # (time, value, whether it is told)
        (0, 0, [(0, 1, True), (1, 1, False), (2, 2, True), (3, 2, False)]),
        (5, 0, [(0, 0, True), (1, 4, False), (2, 5, True), (3, 1, False), (4, 0, True)]),
        (5, 0, [(0, 0, True), (1, 3, False), (2, 6, True)]),  # by what was told, not seen, last
        (0, 10, [(0, 1, True), (9, 1, False), (10, 1, True), (19, 1, False), (20, 1, True)]),
        (5, 10, [(0, 1, True), (6, 9, True), (12, 9, False), (16, 9, True)]),
    ],
)
def test_dead_bands_and_periods(
    dead_band: float, period_s: float, steps: list[tuple[float, float, bool]]
) -> None:
    point = seen(dead_band=dead_band, period_s=period_s)
    reporter = Reporter([point])
    for now, value, expected in steps:
        is_ = told(point, Figure(value, Quality.GOOD, 0), 0)
        due = reporter.due({point.place: is_}, now)
        assert bool(due) is expected, (now, value)
        for place, each in due:
            reporter.sent(place, each, now)


def test_a_change_of_quality_is_always_told() -> None:
    point = seen(dead_band=1e9)
    reporter = Reporter([point])
    reporter.sent(point.place, told(point, Figure(1, Quality.GOOD, 0), 0), 0)
    old = told(point, Figure(1, Quality.NOT_TOPICAL, 0), 0)
    assert reporter.due({point.place: old}, 1)
    assert told(point, None, 7).quality is Quality.INVALID


def test_scale_is_what_one_is_on_the_line() -> None:
    is_ = told(seen(scale=-1e6), Figure(2_500_000, Quality.GOOD, 5), 9)
    assert (is_.value, is_.at) == (-2.5, 5)  # type: ignore[union-attr]


def test_a_selection_lasts_a_while_and_once() -> None:
    selects, place = Selects(30), (1, 200)
    assert selects.use(place, 1, 0) == "it was not selected"
    selects.select(place, 1, 0)
    assert selects.use(place, 1, 29) is None
    assert selects.use(place, 1, 29) == "it was not selected"
    selects.select(place, 1, 30)
    assert selects.use(place, 1, 60) == "it was selected more than 30 s ago"
    selects.select(place, 1, 60)
    assert selects.use(place, 2, 61) == "it was selected with 1"
    selects.select(place, 1, 60)
    assert not selects.cancel(place, 90)
    assert not selects.cancel(place, 90)
