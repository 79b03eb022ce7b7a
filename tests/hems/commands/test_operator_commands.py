"""`hems price`, `reserve`, `message` and `homes` against a real head-end, with every refusal."""

import asyncio
import io
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from certs.identity import lfdi
from certs.pem import der, read_certificates
from certs.pki import Pki, init_pki
from certs.tls import client_context
from hems.cli import main
from hems.commands.operator import Operator
from hems.headend.server import HeadEnd
from hems.headend.settings import HeadEndSettings
from hems.sep2.resources import (
    ActivePower,
    DateTimeInterval,
    DERCapability,
    FlowReservationRequest,
    LoadShedAvailability,
    RequestStatus,
    Resource,
    SignedRealEnergy,
)
from hems.sep2.xml import MEDIA_TYPE, serialize

PIN = "123455"


@dataclass
class Desk:
    """An operator's desk, and one home that can speak."""

    head_end: HeadEnd
    pki: Pki
    file: Path
    capsys: pytest.CaptureFixture[str]

    async def run(self, *arguments: str) -> tuple[int, str, str]:
        """Run `hems ...`; returns exit code, stdout, stderr."""
        code = await asyncio.to_thread(main, [*arguments, "--operator", str(self.file)])
        said = self.capsys.readouterr()
        return code, said.out, said.err

    async def enter(self) -> str:
        """Enter the home, and return its LFDI."""
        own = lfdi(der(read_certificates(self.pki.identity("hub").certificate)[0]))
        wish = {"lfdi": own, "pin": PIN}
        headers = {"Authorization": f"Bearer {self.head_end.token}"}
        async with (
            aiohttp.ClientSession(self.head_end.addresses.operator_url, headers=headers) as session,
            session.post("/homes", json=wish) as answer,
        ):
            assert answer.status == 201
        return own

    async def say(self, method: str, path: str, record: Resource) -> int:
        """Have the home post or put something; returns the status."""
        tls = client_context(self.pki.identity("hub"), self.pki.trust)
        async with (
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=tls)) as session,
            session.request(
                method,
                self.head_end.addresses.base_url + path,
                data=io.BytesIO(serialize(record)),
                headers={"Content-Type": MEDIA_TYPE},
            ) as answer,
        ):
            return answer.status


@pytest.fixture
async def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> AsyncIterator[Desk]:
    pki = await asyncio.to_thread(init_pki, tmp_path / "pki")
    identity, trust = pki.identity("utility"), pki.trust
    settings = HeadEndSettings(
        database=tmp_path / "headend.db",
        certificate=identity.certificate,
        key=identity.key,
        roots=trust.roots,
        crls=trust.crls,
        token_file=tmp_path / "token",
    )
    async with HeadEnd(settings) as head_end:
        door = Operator(url=head_end.addresses.operator_url, token=head_end.token)
        file = tmp_path / "operator.json"
        await asyncio.to_thread(file.write_text, door.model_dump_json())
        yield Desk(head_end, pki, file, capsys)


@pytest.mark.parametrize("command", ["event", "price", "reserve", "message", "homes"])
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main([command, "--help"])
    said = capsys.readouterr().out
    assert said.startswith(f"usage: hems {command}")
    assert "--operator FILE" in said


async def test_prices_are_set_listed_and_cleared(desk: Desk, tmp_path: Path) -> None:
    begin = int(time.time()) - 60
    table = tmp_path / "prices.csv"
    table.write_text(f"start,minutes,price\n{begin},60,0.25\n{begin + 3600},60,-0.02\n")
    code, said, error = await desk.run("price", "set", str(table), "--currency", "AUD")
    assert code == 0, error
    assert said.startswith("Retail: currency 36, primacy 10\n")
    assert "import 0.25 per kWh  active" in said
    assert "import -0.02 per kWh  scheduled" in said
    listing = tmp_path / "prices.json"
    listing.write_text(json.dumps([{"start": begin, "minutes": 90, "price": 0.05}]))
    code, said, error = await desk.run("price", "set", str(listing), "--flow", "export")
    assert (code, "export 0.05 per kWh  active" in said) == (0, True), error
    code, said, _ = await desk.run("price")
    assert said.count("per kWh") == 3
    code, said, _ = await desk.run("price", "clear")
    assert (code, "no prices in force or to come" in said) == (0, True)
    assert (await desk.run("price", "list"))[1].count("per kWh") == 1


@pytest.mark.requirement("BUC-8")
async def test_a_reservation_is_listed_granted_and_cancelled(desk: Desk) -> None:
    assert (await desk.run("reserve"))[1] == "no home has asked for a reservation yet\n"
    own, now = await desk.enter(), int(time.time())
    request = FlowReservationRequest(
        mrid="A" * 32,
        description="battery",
        creation_time=now,
        energy_requested=SignedRealEnergy.of(-4000),
        interval_requested=DateTimeInterval(start=now, duration=7200),
        power_requested=ActivePower.of(-2000),
        request_status=RequestStatus(date_time=now, request_status=0),
    )
    assert await desk.say("POST", "/edev/1/frq", request) == 201
    code, said, _ = await desk.run("reserve", "list")
    assert code == 0
    assert f"open       home {own[:8]} (battery) discharges 4000 Wh at 2000 W" in said
    code, said, error = await desk.run("reserve", "grant", "A" * 32, "--power=-1kW")
    assert code == 0, error
    assert "active     discharges 4000 Wh at 1000 W" in said
    code, said, _ = await desk.run("reserve", "cancel", "A" * 32)
    assert (code, "cancelled" in said) == (0, True)


async def test_a_home_that_tells_absurd_times_and_words_hides_no_reservation(desk: Desk) -> None:
    await desk.enter()
    request = FlowReservationRequest(
        mrid="A" * 32,
        description="a\x9b2J\nb",
        creation_time=0,
        energy_requested=SignedRealEnergy.of(4000),
        interval_requested=DateTimeInterval(start=2**62, duration=60),
        power_requested=ActivePower.of(2000),
        request_status=RequestStatus(date_time=0, request_status=0),
    )
    assert await desk.say("POST", "/edev/1/frq", request) == 201
    code, said, error = await desk.run("reserve", "list")
    assert code == 0, error
    assert "(a?2J?b) charges 4000 Wh at 2000 W, 4611686018427387904 s for 1 min" in said


async def test_a_table_of_prices_as_spreadsheets_write_it_is_read(
    desk: Desk, tmp_path: Path
) -> None:
    table = tmp_path / "prices.csv"
    begin = int(time.time()) - 60
    table.write_text(f"start,minutes,price\n{begin},60,0.25\n", encoding="utf-8-sig")
    code, said, error = await desk.run("price", "set", str(table))
    assert (code, "import 0.25 per kWh  active" in said) == (0, True), error


async def test_the_longest_series_of_prices_fits_through_the_door(
    desk: Desk, tmp_path: Path
) -> None:
    begin = int(time.time())
    listing = tmp_path / "prices.json"
    prices = [{"start": begin + 300 * i, "minutes": 5, "price": 0.12345} for i in range(2000)]
    listing.write_text(json.dumps(prices))
    code, said, error = await desk.run("price", "set", str(listing))
    assert (code, said.count("per kWh")) == (0, 2000), error


async def test_a_message_is_sent_listed_and_taken_back(desk: Desk) -> None:
    assert (await desk.run("message"))[1] == "no messages yet\n"
    code, said, _ = await desk.run("message", "Works tonight", "--priority", "high")
    assert code == 0
    assert "active     high: 'Works tonight'" in said
    assert (await desk.run("message"))[1] == said
    code, said, _ = await desk.run("message", "--cancel", said.split()[0])
    assert (code, "cancelled" in said) == (0, True)


async def test_homes_are_told_with_what_they_could_do(desk: Desk) -> None:
    assert (await desk.run("homes"))[1] == "no home is entered yet\n"
    own = await desk.enter()
    shed = LoadShedAvailability(availability_duration=900, sheddable_power=ActivePower.of(800))
    assert await desk.say("POST", "/edev/1/lsl", shed) == 201
    rated = DERCapability(modes_supported=1, rtg_max_w=ActivePower.of(5000), type=83)
    assert await desk.say("PUT", "/edev/1/der/1/dercap", rated) == 204
    code, said, _ = await desk.run("homes")
    assert code == 0
    first, second, third = said.splitlines()
    assert first.startswith(f"{own}  csip-aus, last heard of ")
    assert second == "    rated: gives at most 5000 W"
    assert third == "    could shed 800 W for 15 min"


@pytest.mark.requirement("LC-TEST")
@pytest.mark.parametrize(
    ("arguments", "code", "reason"),
    [
        (("price", "set"), 1, "which file"),
        (("price", "set", "nowhere.csv"), 1, "cannot be read"),
        (("price", "set", "{text}"), 1, "does not name start, minutes, price"),
        (("price", "set", "{words}"), 1, "line 2: minutes and price must be numbers"),
        (("price", "set", "{broken}"), 1, "is not JSON"),
        (("price", "set", "{nan}"), 1, "prices.0.price"),
        (("price", "set", "{octets}"), 1, "is not UTF-8 text"),
        (("price", "clear"), 1, "no tariff 'Retail'"),
        (("reserve", "grant"), 1, "which"),
        (("reserve", "grant", "00"), 1, "no reservation '00'"),
        (("reserve", "grant", "00", "--power", "5Wh"), 2, "not power"),
        (("reserve", "cancel", "../homes"), 1, "no reservation '../homes'"),
        (("message", " "), 1, "says nothing"),
        (("message", "hello", "--minutes", "nan"), 1, "minutes"),
        (("message", "--cancel", "00"), 1, "no message '00'"),
    ],
)
async def test_nonsense_is_refused_in_one_sentence(
    desk: Desk, tmp_path: Path, arguments: tuple[str, ...], code: int, reason: str
) -> None:
    texts = {
        "text": b"hello\n",
        "words": b"start,minutes,price\n5,ten,1\n",
        "broken": b"[{",
        "nan": b'[{"start": 5, "minutes": 5, "price": NaN}]',
        "octets": b"\xff\xfe",
    }
    for name, octets in texts.items():
        (tmp_path / name).write_bytes(octets)
    places = {name: str(tmp_path / name) for name in texts}
    got, out, err = await desk.run(*(argument.format(**places) for argument in arguments))
    assert got == code
    assert out == ""
    assert err.startswith("hems: ")
    assert err.count("\n") == 1
    assert reason in err
