"""Orders that cannot be carried out, or not all at once.

Each is answered by its code, with its reason shown to the owner, and the home is left in its
strongest valid state. Nonsense in single figures is in `test_nonsense_events`.
"""

import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from certs.pki import Pki
from certs.tls import server_context
from hems.sep2 import resources as res
from hems.sep2.xml import MEDIA_TYPE, serialize
from tests.e2e.rig import Card, Home
from tests.faults.bench import Bench, Hub, house
from tests.faults.conftest import EVENING
from tests.faults.scripted import LyingUtility, control
from tests.hems.sep2.offering import offer_prices
from tests.hems.sep2.utility import serving
from tests.waiting import until

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.requirement("LC-TEST"),
    pytest.mark.requirement("PRO-2030.5"),
]

RECEIVED, STARTED, COMPLETED, SUPERSEDED = 1, 2, 3, 7
NOT_APPLICABLE, INVALID, BY_PROGRAM = 252, 253, 14
LIMIT_W = 2000.0
SOON_S = 20.0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bench(tmp_path_factory: pytest.TempPathFactory, pki: Pki) -> AsyncIterator[Bench]:
    """Return a running house with an inverter that runs curves."""
    folder = tmp_path_factory.mktemp("bench")
    async with house(folder, pki, (*EVENING, "--pv-style", "full")) as made:
        yield made


def watts(mode: str, value: int) -> str:
    """Return a set-point or a limit of active power."""
    tag = mode if mode == "opModTargetW" else f"csipaus:{mode}"
    return f"<{tag}><multiplier>0</multiplier><value>{value}</value></{tag}>"


def card_of(home: Home, event: str) -> Card:
    found = home.card(event)
    assert found is not None
    return found


async def shown(hub: Hub, event: str, words: str, within_s: float = SOON_S) -> Card:
    """Wait until the owner reads these words with an event."""
    home = await until(
        hub.home,
        lambda home: (
            (card := home.card(event)) is not None and words in f"{card.effect} {card.note}"
        ),
        within_s,
        f"{words!r} with {event}",
    )
    return card_of(home, event)


async def test_a_limit_that_nothing_here_can_meet(bench: Bench) -> None:
    """What the house draws of itself cannot be shed: all that can yields, and the rest is said."""
    lying = LyingUtility(bench.hub_lfdi)
    lying.list_controls(control("10AD", base=watts("opModLoadLimW", 100)))
    context = server_context(bench.pki.identity("utility"), bench.pki.trust)
    async with serving(lying, context), bench.running(bench.config(f"{lying.base}/dcap")) as hub:
        card = await shown(hub, "10AD", "Not met for ")
        assert card.state == "running"
        home = await until(
            hub.home,
            lambda home: any("cannot keep within what" in alarm for alarm in home.alarms),
            SOON_S,
            "the owner is told",
        )
        assert (home.tile("water_heater").power_w or 0.0) < 50.0
        assert (home.tile("ev").power_w or 0.0) < 50.0
        await lying.until(lambda: ("10AD", STARTED) in lying.codes)
        assert lying.codes == [("10AD", RECEIVED), ("10AD", STARTED)]


async def test_of_two_set_points_in_one_mode_the_later_one_supersedes(bench: Bench) -> None:
    lying = LyingUtility(bench.hub_lfdi)
    later = control("A1", base=watts("opModTargetW", 1000)).replace(
        "<creationTime>1", "<creationTime>9"
    )
    begun = int(time.time()) - 60
    lying.list_controls(later, control("A2", base=watts("opModTargetW", -2000), start=begun))
    context = server_context(bench.pki.identity("utility"), bench.pki.trust)
    async with serving(lying, context), bench.running(bench.config(f"{lying.base}/dcap")) as hub:
        await lying.until(lambda: ("A2", SUPERSEDED) in lying.codes, SOON_S)
        home = await until(
            hub.home,
            lambda home: "give 1 kW" in home.tile("battery").reason,
            SOON_S,
            "the later one holds",
        )
        assert card_of(home, "A1").state == "running"
        assert card_of(home, "A2").state == "superseded"


@pytest.mark.deep
async def test_of_two_set_points_in_different_modes_the_earlier_one_is_answered_as_superseded(
    bench: Bench,
) -> None:
    """No mode knows of the other, yet a battery follows one: the utility is told which it is."""
    lying = LyingUtility(bench.hub_lfdi)
    begun = int(time.time()) - 60
    lying.list_controls(
        control("A1", base=watts("opModTargetW", 1000)),
        control("A2", base="<opModFixedW>-2000</opModFixedW>", start=begun),
    )
    context = server_context(bench.pki.identity("utility"), bench.pki.trust)
    async with serving(lying, context), bench.running(bench.config(f"{lying.base}/dcap")) as hub:
        await lying.until(lambda: ("A2", SUPERSEDED) in lying.codes, SOON_S)
        home = await until(
            hub.home,
            lambda home: (
                "give 1 kW" in home.tile("battery").reason
                and card_of(home, "A2").state == "superseded"
            ),
            SOON_S,
            "the later one holds",
        )
        assert card_of(home, "A2").note == "Another order has taken its place."
        assert card_of(home, "A1").state == "running"
        assert card_of(home, "A1").note == ""


@pytest.mark.deep
async def test_a_limit_moves_a_set_point_and_both_stand(bench: Bench) -> None:
    """What the battery is to take would break the limit at the meter: it takes what is left."""
    lying = LyingUtility(bench.hub_lfdi)
    charge = control("C4", base=watts("opModTargetW", -4000))
    lying.list_controls(control("11A1"), charge)
    context = server_context(bench.pki.identity("utility"), bench.pki.trust)
    async with serving(lying, context), bench.running(bench.config(f"{lying.base}/dcap")) as hub:
        await until(
            hub.home, lambda home: (home.net_w or 1e9) <= LIMIT_W, SOON_S, "under the limit"
        )
        await shown(hub, "C4", "Not met for ")
        home = await hub.home()
        assert (home.net_w or 1e9) <= LIMIT_W
        assert {card.state for card in home.events} == {"running"}
        assert set(lying.codes) == {
            (mrid, code) for mrid in ("11A1", "C4") for code in (RECEIVED, STARTED)
        }


@pytest.mark.deep
async def test_a_server_that_goes_within_an_event_changes_nothing_until_its_end(
    bench: Bench,
) -> None:
    lying = LyingUtility(bench.hub_lfdi)
    lying.list_controls(control("50FF", duration=25))
    context = server_context(bench.pki.identity("utility"), bench.pki.trust)
    config = bench.config("{dcap}")
    async with serving(lying, context):
        hub = bench.prepare(config.replace("{dcap}", f"{lying.base}/dcap"))
        await hub.start()
        await until(hub.home, lambda home: home.limit_import_w == LIMIT_W, SOON_S, "in force")
    try:
        home = await hub.state("unreachable", 20.0)
        assert home.limit_import_w == LIMIT_W
        assert card_of(home, "50FF").state == "running"
        home = await until(
            hub.home, lambda home: home.limit_import_w is None, 30.0, "over at its own time"
        )
        assert card_of(home, "50FF").state == "completed"
    finally:
        assert await hub.child.stop() == 0


async def test_a_set_point_beyond_the_nameplate_is_refused(bench: Bench) -> None:
    lying = LyingUtility(bench.hub_lfdi)
    lying.list_controls(
        control("BE10", base=watts("opModTargetW", 32_000)),
        control("BE20", base=watts("opModTargetW", -32_000)),
        control("600D"),
    )
    context = server_context(bench.pki.identity("utility"), bench.pki.trust)
    async with serving(lying, context), bench.running(bench.config(f"{lying.base}/dcap")) as hub:
        give = await shown(hub, "BE10", "opModTargetW asks to give 32 kW, and the most here is ")
        take = await shown(hub, "BE20", "opModTargetW asks to take 32 kW, and the most here is ")
        assert {give.state, take.state} == {"rejected"}
        home = await until(hub.home, lambda home: home.limit_import_w == LIMIT_W, SOON_S, "held")
        assert home.tile("battery").reason != "Peak"
        await lying.until(lambda: len(lying.codes) >= 4)
        assert set(lying.codes) == {
            ("BE10", NOT_APPLICABLE),
            ("BE20", NOT_APPLICABLE),
            ("600D", RECEIVED),
            ("600D", STARTED),
        }


@pytest.mark.deep
async def test_a_curve_whose_points_cross_is_refused(bench: Bench) -> None:
    lying = LyingUtility(bench.hub_lfdi)
    points = [(9200, 4400), (10_800, -4400), (9800, 0)]
    lying.resources["/dc/1"] = res.DERCurve(
        href="/dc/1",
        mrid="DC",
        creation_time=1,
        curve_type=11,
        x_multiplier=-2,
        y_multiplier=-2,
        y_ref_type=3,
        curve_data=tuple(res.CurveData(xvalue=x, yvalue=y) for x, y in points),
    )
    crossing = '<opModVoltVar href="/dc/1"/>'
    context = server_context(bench.pki.identity("utility"), bench.pki.trust)
    async with serving(lying, context), bench.running(bench.config(f"{lying.base}/dcap")) as hub:
        await hub.goes_on(3)  # what the devices can do is known
        lying.list_controls(control("CC", base=crossing), control("600D"))
        card = await shown(hub, "CC", "curve /dc/1")
        assert card.state == "rejected"
        await until(hub.home, lambda home: home.limit_import_w == LIMIT_W, SOON_S, "held")
        await lying.until(lambda: len(lying.codes) >= 3)
        assert ("CC", INVALID) in lying.codes


async def test_a_price_that_is_no_number_leaves_the_other_prices(bench: Bench) -> None:
    lying = LyingUtility(bench.hub_lfdi)
    now = int(time.time())
    interval = res.TimeTariffInterval(
        href="/tp/1/rc/1/tti/1",
        mrid="E1",
        creation_time=1,
        description="peak",
        event_status=res.EventStatus(current_status=0, date_time=now, potentially_superseded=False),
        interval=res.DateTimeInterval(duration=7200, start=now - 60),
        tou_tier=1,
        consumption_tariff_interval_list_link=res.Link(href="/cti/1", all=2),
    )
    offer_prices(lying, interval)
    listed = serialize(
        res.ConsumptionTariffIntervalList(
            href="/cti/1",
            all=1,
            results=1,
            consumption_tariff_interval=(
                res.ConsumptionTariffInterval(
                    href="/cti/1/1", consumption_block=0, price=4000, start_value=0
                ),
            ),
        )
    )
    nan = listed.replace(b"<price>4000<", b"<price>NaN<")
    assert nan != listed
    lying.lies["/cti/1"] = (200, nan, MEDIA_TYPE)
    lying.list_controls(control("600D"))
    context = server_context(bench.pki.identity("utility"), bench.pki.trust)
    async with serving(lying, context), bench.running(bench.config(f"{lying.base}/dcap")) as hub:
        await until(hub.home, lambda home: home.limit_import_w == LIMIT_W, SOON_S, "held")
        await lying.until(lambda: lying.asked.count("GET /cti/1") >= 1, SOON_S)
        await until(
            hub.home,
            lambda home: any("Prices of interval E1 are left out" in a for a in home.alarms),
            SOON_S,
            "the owner is told",
        )
        assert hub.logged("NaN")
        assert (await hub.home()).limit_import_w == LIMIT_W
        await hub.goes_on()
