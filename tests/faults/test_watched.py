"""What watches a hub: its metrics and its health, of the real process."""

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from certs.tls import server_context
from hems.metrics.metric import Kind
from hems.vitals.catalogue import CATALOGUE
from tests.faults.bench import Bench, Hub
from tests.hems.sep2.utility import serving
from tests.waiting import until

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.requirement("LC-TEST")]
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


async def scraped(hub: Hub) -> tuple[str, Samples]:
    """Return what Prometheus reads of a hub."""
    async with aiohttp.ClientSession(hub.page) as session, session.get("/metrics") as answer:
        text = await answer.text()
        assert answer.status == 200, text
        assert answer.headers["Content-Type"].startswith("text/plain; version=")
        assert answer.headers["Cache-Control"] == "no-store"
    samples = {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    return text, samples


def value(samples: Samples, name: str, **labels: str) -> float:
    """Return one sample."""
    return samples[name, frozenset(labels.items())]


async def test_a_hub_tells_how_it_does_and_nothing_of_who_lives_there(bench: Bench) -> None:
    utility = bench.utility()
    context = server_context(bench.pki.identity("utility"), bench.pki.trust)
    async with (
        serving(utility, context),
        bench.running(bench.config(f"{utility.base}/dcap")) as hub,
    ):
        await hub.state("connected")
        await hub.goes_on(3)
        text, samples = await scraped(hub)
        told = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE ")}
        assert {metric.shown for metric in CATALOGUE} <= told
        assert value(samples, "hems_hub_cycle_seconds_count") >= 3
        assert value(samples, "hems_hub_decision_age_seconds") < 30
        home = await hub.home()
        assert sum(v for (n, _), v in samples.items() if n == "hems_hub_devices") == len(
            home.devices
        )
        assert value(samples, "hems_hub_utilities", state="connected") == 1
        assert value(samples, "hems_hub_contact_age_seconds", utility="utility") < 60
        assert value(samples, "hems_hub_responses_waiting") == 0
        assert value(samples, "hems_hub_store_bytes", file="store") > 0
        good = {"part": "ledger", "outcome": "good"}
        assert value(samples, "hems_hub_store_transactions_total", **good) > 0
        assert value(samples, "process_resident_memory_bytes") > 10_000_000
        devices = {device.id for device in home.devices}
        for each in CATALOGUE:
            if each.kind is not Kind.HISTOGRAM and "device" in each.labels:
                named = {dict(labels)["device"] for name, labels in samples if name == each.shown}
                assert named <= devices
        assert bench.hub_lfdi not in text.upper()
        async with aiohttp.ClientSession(hub.page) as session:
            for path in ("/health/live", "/health/ready"):
                async with session.get(path) as answer:
                    assert answer.status == 200
                    assert await answer.json() == {"status": "ok"}
        await hub.goes_on(2)  # being looked at keeps nothing up


@pytest.mark.deep
async def test_a_lost_device_and_a_lost_utility_show(bench: Bench) -> None:
    async with bench.running(bench.config("https://127.0.0.1:9/dcap")) as hub:
        await hub.state("unreachable")
        await bench.fault("heat_pump", "silence")
        try:

            async def seen() -> Samples:
                return (await scraped(hub))[1]

            samples = await until(
                seen,
                lambda now: value(now, "hems_hub_devices", quality="lost") == 1,
                60.0,
                "the lost device",
            )
        finally:
            await bench.fault("heat_pump", "none")
        assert value(samples, "hems_hub_utilities", state="unreachable") == 1
        assert not [name for name, _ in samples if name == "hems_hub_contact_age_seconds"]
