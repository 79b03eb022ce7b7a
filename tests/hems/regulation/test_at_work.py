"""Regulation at work: a real process, a simulated house on sockets, a real broker; and troubles."""

import asyncio
import json
import math
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import aiomqtt
import pytest

from der.addresses import TlsFiles
from der.commands import Identify
from der.model import Quality
from hems.cem.policy import AllocatorPolicy
from hems.regulation.settings import Source
from programs.signal import Signal, SignalKind
from tests.hems.regulation.rig import House, Hub, house, hub, settings
from tests.mqtt.broker import mosquitto
from tests.mqtt.certificate import self_signed
from tests.waiting import until

NEAR_W = 15.0
WITHIN_S = 15.0
"""For what takes a tenth of a second on an idle machine."""


async def battery_at(at: House, power_w: float, within_s: float = WITHIN_S) -> None:
    await until(
        at.battery_w,
        lambda w: abs(w - power_w) <= NEAR_W,
        within_s,
        f"the battery at {power_w:g} W",
    )


def limit(kind: SignalKind, value: float, *, binding: bool = True) -> Signal:
    now = time.time()
    return Signal("L1", "Limits", kind, value, now, now + 300, binding)


@pytest.mark.requirement("BUC-3")
async def test_the_battery_answers_the_frequency_and_the_home_s_cycle_goes_on(
    tmp_path: Path,
) -> None:
    """Self-consumption keeps the meter at zero; the response comes on top of it, undisturbed."""
    async with house(tmp_path) as at, hub(at, settings()) as made:
        await at.post("load", frequency_hz=50.0)
        await made.until()
        await battery_at(at, -500)
        for hz, swing_w in ((49.77, -840), (50.27, 1000), (49.3, -2000), (50.0, 0)):
            await at.post("load", frequency_hz=hz)
            await battery_at(at, -500 + swing_w)
        # For some cycles the base stays what it was: the swing is not evened out.
        await at.post("load", frequency_hz=49.3)
        await battery_at(at, -2500)
        for _ in range(4):
            await asyncio.sleep(1.0)
            assert abs(await at.battery_w() + 2500) <= NEAR_W
            assert made.cycle.allocation.base_w == pytest.approx(500, abs=30)
        # The house draws more: the base follows under the swing.
        await at.post("load", base_w=900.0)
        await battery_at(at, -2900)
        (response, _) = made.regulation.standings
        assert response.active
        assert response.words == "The battery gives 2000 W more than its base"


@pytest.mark.requirement("BUC-3")
async def test_limits_hold_with_the_swing(tmp_path: Path) -> None:
    async with house(tmp_path) as at, hub(at, settings(capacity_w=3000.0)) as made:
        await at.post("load", frequency_hz=50.0)
        await made.until()
        made.signals.append(limit(SignalKind.EXPORT_LIMIT, 1000.0))
        await asyncio.sleep(2.0)
        await at.post("load", frequency_hz=49.0)
        seen: list[float] = []
        for _ in range(30):
            seen.append(await at.meter_w())
            await asyncio.sleep(0.1)
        assert min(seen) >= -1000.0
        assert seen[-1] == pytest.approx(-950, abs=60)  # as far as the limit lets it
        made.signals[:] = [limit(SignalKind.IMPORT_LIMIT, 1200.0)]
        await asyncio.sleep(2.0)
        await at.post("load", frequency_hz=50.0)
        await asyncio.sleep(0.3)
        await at.post("load", frequency_hz=50.9)
        seen = []
        for _ in range(30):
            seen.append(await at.meter_w())
            await asyncio.sleep(0.1)
        assert max(seen) <= 1200.0
        assert seen[-1] == pytest.approx(1150, abs=60)


@pytest.mark.requirement("BUC-3")
@pytest.mark.parametrize(("soc", "hz"), [("0.1", 49.0), ("1.0", 50.9)], ids=["empty", "full"])
async def test_a_battery_without_room_gives_nothing(tmp_path: Path, soc: str, hz: float) -> None:
    """At its reserve it gives nothing, however low the frequency; full, it takes nothing."""
    async with (
        house(tmp_path, "--battery-soc", soc) as at,
        hub(at, settings(), allocator=AllocatorPolicy(reserve_soc=0.1)) as made,
    ):
        await at.post("load", frequency_hz=50.0)
        await made.until()
        await asyncio.sleep(2.0)
        before_w = await at.battery_w()
        await at.post("load", frequency_hz=hz)
        await asyncio.sleep(2.0)
        response, _ = made.regulation.standings
        if soc == "0.1":
            assert await at.battery_w() == pytest.approx(0, abs=NEAR_W)
            assert response.down_w == 0
        else:
            assert before_w == pytest.approx(-500, abs=NEAR_W)
            assert await at.battery_w() == pytest.approx(0, abs=NEAR_W)


@pytest.mark.requirement("BUC-3")
async def test_a_killed_loop_leaves_the_battery_to_the_hub_and_comes_back(tmp_path: Path) -> None:
    async with house(tmp_path) as at, hub(at, settings()) as made:
        await at.post("load", frequency_hz=49.3)
        await made.until()
        await battery_at(at, -2500)
        first = made.regulation.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        await battery_at(at, -500, 5.0)  # well before anything lapses
        await made.until()
        await battery_at(at, -2500)
        assert made.regulation.pid not in {None, first}
        assert "regulation" not in made.alarms


@pytest.mark.requirement("BUC-3")
async def test_a_loop_that_hangs_is_ended_before_the_hub_writes(tmp_path: Path) -> None:
    async with house(tmp_path) as at, hub(at, settings()) as made:
        await at.post("load", frequency_hz=49.3)
        await made.until()
        await battery_at(at, -2500)
        first = made.regulation.pid
        assert first is not None
        os.kill(first, signal.SIGSTOP)
        try:
            await battery_at(at, -500)
        finally:
            try:
                os.kill(first, signal.SIGCONT)
            except ProcessLookupError:
                first = None
        assert first is None  # it was gone by then
        await made.until()
        await battery_at(at, -2500)


@pytest.mark.requirement("BUC-3")
async def test_consent_taken_back_gives_the_battery_back(tmp_path: Path) -> None:
    async with house(tmp_path) as at, hub(at, settings()) as made:
        await at.post("load", frequency_hz=49.3)
        await made.until()
        await battery_at(at, -2500)
        made.left.add("frequency")
        await battery_at(at, -500)
        await until(_pid(made), lambda pid: pid is None, WITHIN_S, "the process ended")


async def test_a_command_goes_through_and_regulation_goes_on(tmp_path: Path) -> None:
    async with house(tmp_path) as at, hub(at, settings()) as made:
        await at.post("load", frequency_hz=49.3)
        await made.until()
        await battery_at(at, -2500)
        handle = made.cycle.handle("battery")
        assert handle is not None
        assert (await handle.ioctl(Identify())).serial
        await made.until()
        await battery_at(at, -2500)


async def test_a_lost_battery_comes_back(tmp_path: Path) -> None:
    async with house(tmp_path) as at, hub(at, settings()) as made:
        await at.post("load", frequency_hz=49.3)
        await made.until()
        await at.post("fault", device="battery", fault="silence", seconds=6)
        await made.until(False)
        await made.until()
        await battery_at(at, -2500)


@pytest.mark.requirement("BUC-3")
async def test_the_frequency_may_come_from_the_meter(tmp_path: Path) -> None:
    async with house(tmp_path) as at, hub(at, settings(measured_by="meter")) as made:
        await at.post("load", frequency_hz=49.77)
        await made.until()
        await battery_at(at, -500 - 840)
        await at.post("fault", device="meter", fault="silence", seconds=5)
        await battery_at(at, -500)  # nobody measures, so nobody responds
        await until(
            _alarm(made), lambda said: "no longer measured" in said, WITHIN_S, "the owner is told"
        )
        await battery_at(at, -500 - 840)


@pytest.mark.requirement("BUC-3")
async def test_an_aggregator_s_signal_is_followed_while_its_event_lasts(tmp_path: Path) -> None:
    async with mosquitto(tmp_path) as broker, house(tmp_path) as at:
        source = Source(broker.settings, "regulation/1")
        agreed = settings(droop=None, source=source, program="Regulation", stale_s=3, fade_s=2)
        async with hub(at, agreed) as made, broker.client() as aggregator:

            async def send(seq: int, value: float, at_s: float | None = None) -> None:
                words = {"seq": seq, "at": at_s or time.time(), "value": value}
                await aggregator.publish("regulation/1", json.dumps(words))

            await asyncio.sleep(2.0)
            assert not made.regulation.regulating
            now = time.time()
            event = Signal(
                "E1", "Regulation", SignalKind.STORAGE_POWER, 300.0, now, now + 120, binding=False
            )
            made.signals.append(event)
            await made.until()
            await battery_at(at, 300)
            await asyncio.sleep(0.5)  # for the subscription
            await send(1, 0.5)
            await battery_at(at, 300 - 1000)
            await send(2, -1.0)
            await battery_at(at, 300 + 2000)
            await send(1, 0.9)  # replayed
            await send(3, 0.9, time.time() - 60)  # kept back
            await send(4, 7.0)  # no share
            await send(5, math.nan)
            await asyncio.sleep(0.5)
            assert abs(await at.battery_w() - 2300) <= NEAR_W
            # It stops: within seconds the battery is back at its base, and the owner is told.
            await battery_at(at, 300)
            assert made.alarms["regulation"].endswith("the regulation signal has stopped")
            await send(6, 0.25)
            await battery_at(at, 300 - 500)
            await asyncio.sleep(10.0)
            made.signals.clear()
            await made.until(False)
            await battery_at(at, -500)  # evens out the house again
            (record,) = made.records
            assert (record.programme, record.event, record.asked_by) == (
                "regulation",
                "E1",
                "Regulation",
            )
            assert "regulation" not in made.alarms


@dataclass
class LostClock:
    """The clock of a hub that knows the time on a machine that has lost it.

    Attributes:
        ahead_s: By how much it is ahead of the machine's.
    """

    ahead_s: float

    def now(self) -> float:
        return time.time() + self.ahead_s

    def monotonic(self) -> float:
        return time.monotonic()


@pytest.mark.requirement("BUC-3", "TIME-SERVER")
async def test_a_machine_that_has_lost_its_clock_regulates_by_the_hub_s_time(
    tmp_path: Path,
) -> None:
    clock = LostClock(20 * 365 * 86_400.0)
    async with mosquitto(tmp_path) as broker, house(tmp_path) as at:
        source = Source(broker.settings, "regulation/1")
        agreed = settings(droop=None, source=source, program="Regulation", stale_s=3, fade_s=2)
        async with hub(at, agreed, clock=clock) as made, broker.client() as aggregator:

            async def send(seq: int, value: float) -> None:
                words = {"seq": seq, "at": clock.now(), "value": value}
                await aggregator.publish("regulation/1", json.dumps(words))

            async def follows(seq: int) -> None:
                for each in range(seq, seq + 6):
                    await send(each, 0.5)
                    await good_for(0.5)
                await battery_at(at, 300 - 1000)

            async def good_for(seconds: float) -> None:
                until = time.monotonic() + seconds
                while time.monotonic() < until:
                    await asyncio.sleep(0.05)
                    image = made.ring.present
                    assert image is not None
                    assert image.devices["battery"].quality is Quality.GOOD

            now = clock.now()
            made.signals.append(
                Signal(
                    "E", "Regulation", SignalKind.STORAGE_POWER, 300.0, now - 9e8, now + 9e8, False
                )
            )
            await made.until()
            await battery_at(at, 300)
            await asyncio.sleep(0.5)  # for the subscription
            await follows(1)
            clock.ahead_s += 3_600.0  # somebody who knows it has told the hub
            await good_for(2.0)  # until the next cycle
            await follows(7)
            clock.ahead_s -= 7_200.0
            await good_for(2.0)
            await follows(13)


@pytest.mark.requirement("BUC-3")
async def test_a_broker_that_goes_is_only_a_signal_that_stops(tmp_path: Path) -> None:
    async with mosquitto(tmp_path) as broker, house(tmp_path) as at:
        source = Source(broker.settings, "regulation/1")
        async with hub(at, settings(source=source, stale_s=1, fade_s=1)) as made:
            await at.post("load", frequency_hz=50.0)
            await made.until()
            async with broker.client() as aggregator:
                await asyncio.sleep(0.5)
                words = {"seq": 1, "at": time.time(), "value": 1.0}
                await aggregator.publish("regulation/1", json.dumps(words))
            await broker.kill()
            await at.post("load", frequency_hz=49.77)
            # The signal fades out; what is measured goes on to count. The base is at rest.
            await battery_at(at, -840)


@pytest.mark.requirement("BUC-3", "PRV-TRANSIT")
async def test_the_signal_comes_over_tls_from_a_broker_that_is_trusted(tmp_path: Path) -> None:
    other = tmp_path / "other"
    await asyncio.to_thread(other.mkdir)
    stranger = self_signed(other, "localhost", timedelta(days=1)).certificate
    async with mosquitto(tmp_path, tls=True) as broker, house(tmp_path) as at:
        trust = broker.settings.tls
        assert trust is not None
        for trusted, power_w in ((stranger, 0.0), (trust.trust, -1000.0)):
            reached = replace(broker.settings, tls=TlsFiles(trusted))
            agreed = settings(droop=None, source=Source(reached, "regulation/1"))
            async with hub(at, agreed) as made:
                await made.until()
                await battery_at(at, 0.0)
                await asyncio.sleep(1.0)  # for the subscription
                words = {"seq": 1, "at": time.time(), "value": 0.5}
                async with aiomqtt.Client(
                    "localhost",
                    broker.port,
                    tls_params=aiomqtt.TLSParameters(ca_certs=str(trust.trust)),
                ) as aggregator:
                    await aggregator.publish("regulation/1", json.dumps(words))
                await asyncio.sleep(1.0)
                assert await at.battery_w() == pytest.approx(power_w, abs=NEAR_W)


@pytest.mark.requirement("BUC-3")
async def test_a_killed_hub_leaves_a_base_that_lapses(tmp_path: Path) -> None:
    """The loop ends with the hub, the base stays, and the inverter's own timer ends that."""
    async with house(tmp_path) as at:
        await at.post("load", frequency_hz=49.3)
        program = (
            "import asyncio, sys\n"
            "from pathlib import Path\n"
            "from tests.hems.regulation.rig import House, hub, settings\n"
            "from hems.cem.policy import AllocatorPolicy\n"
            "async def main():\n"
            f"    at = House({dict(at.ports)!r}, '', None)\n"
            "    policy = AllocatorPolicy(drive_lapse_s=6.0)\n"
            "    async with hub(at, settings(), allocator=policy) as made:\n"
            "        await made.until()\n"
            "        print(made.regulation.pid, flush=True)\n"
            "        await asyncio.sleep(600)\n"
            "asyncio.run(main())\n"
        )
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout is not None
        loop = int(await asyncio.wait_for(process.stdout.readline(), 60))
        await battery_at(at, -2500)
        process.kill()
        await process.wait()
        await battery_at(at, -500, 3.0)  # no swing without the hub
        await until(_alive(loop), lambda alive: not alive, WITHIN_S, "the loop ended")
        await battery_at(at, 0)


def _alarm(made: Hub) -> Callable[[], Awaitable[str]]:
    async def look() -> str:
        return made.alarms.get("regulation", "")

    return look


def _pid(made: Hub) -> Callable[[], Awaitable[int | None]]:
    async def look() -> int | None:
        return made.regulation.pid

    return look


def _alive(pid: int) -> Callable[[], Awaitable[bool]]:
    async def look() -> bool:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        return True

    return look
