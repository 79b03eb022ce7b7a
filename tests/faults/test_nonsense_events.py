"""Events whose figures make no sense, as raw XML: refused by their code, shown, and no more."""

import time

import pytest

from certs.tls import server_context
from tests.faults.bench import Bench
from tests.faults.scripted import LIMIT, LyingUtility, control
from tests.hems.sep2.utility import serving
from tests.waiting import until

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.requirement("LC-TEST"),
    pytest.mark.requirement("PRO-2030.5"),
]

INVALID, NOT_APPLICABLE, EXPIRED = 253, 252, 254


def watts(value: str, multiplier: int = 0) -> str:
    """Return an import limit with any text for its value."""
    return LIMIT.replace("2000", value).replace("<multiplier>0", f"<multiplier>{multiplier}")


NOW = int(time.time())
REFUSED = {
    "D0": (control("D0", duration=0), INVALID, "a duration of 0 s"),
    "A0": (control("A0", start=2**60), INVALID, f"a start at {2**60}"),
    "A1": (control("A1", start=-5), INVALID, "a start at -5"),
    "A2": (control("A2", start=NOW - 86_400), EXPIRED, "over before it was received"),
    "A3": (control("A3", start=0), EXPIRED, "over before it was received"),
    "B0": (control("B0", base=watts("32767", 9)), INVALID, "opModImpLimW of 3.2767e+13"),
    "B1": (control("B1", base=watts("1", 127)), INVALID, "opModImpLimW of 1e+127"),
    "B2": (control("B2", base=watts("-500")), INVALID, "which cannot be negative"),
    "B3": (control("B3", base=""), INVALID, "it sets no control mode"),
    "B4": (control("B4", base="<opModWarp>9</opModWarp>"), INVALID, "it sets no control mode"),
    "B5": (
        control("B5", base="<opModFixedV>5000</opModFixedV>"),
        NOT_APPLICABLE,
        "cannot carry out opModFixedV",
    ),
    "C0": (
        control(
            "C0",
            more="<randomizeStart>30000</randomizeStart>",
        ),
        INVALID,
        "randomizeStart of 30000 s",
    ),
}
"""By mRID: events that can be read and make no sense; the answer; what the owner reads."""

UNREADABLE = {
    "E0": control("E0", duration=-60),
    "E1": control("E1", duration="NaN"),
    "E2": control("E2", start="yesterday"),
    "E3": control("E3", base=watts("NaN")),
    "E4": control("E4", base=watts("Infinity")),
    "E5": control("E5", base=watts("99999")),
    "E6": control("E6", base=watts("")),
    "E7": control("E7").replace("<creationTime>1</creationTime>", ""),
}
"""By mRID: events with a value that is outside the range of its type, or none."""

UNASKED = {
    "F0": control("F0", duration=0, required="00"),
    "F1": control("F1", duration=0, required="01"),
    "F2": control("F2", duration="NaN", required="00"),
    "F3": control("F3", start=0, required="00"),
    "F4": control("F4", duration="NaN").replace(' responseRequired="03"', ""),
}
"""Nonsense whose sender does not want to hear of it."""


async def test_each_is_refused_by_its_code_and_the_good_one_is_obeyed(bench: Bench) -> None:
    lying = LyingUtility(bench.hub_lfdi)
    refused = [xml for xml, _, _ in REFUSED.values()]
    good = control("600D")
    lying.list_controls(*refused, *UNREADABLE.values(), good, *UNASKED.values())
    context = server_context(bench.pki.identity("utility"), bench.pki.trust)
    async with serving(lying, context), bench.running(bench.config(f"{lying.base}/dcap")) as hub:
        expected = {(mrid, code) for mrid, (_, code, _) in REFUSED.items()}
        expected |= {(mrid, INVALID) for mrid in UNREADABLE}
        expected |= {("600D", 1), ("600D", 2)}
        await lying.until(lambda: len(lying.codes) >= len(expected), 20.0)
        home = await until(
            hub.home, lambda home: home.limit_import_w == 2000.0, 5.0, "the good one is in force"
        )
        said = hub.log
        for mrid, (_, _, reason) in REFUSED.items():
            card = home.card(mrid)
            assert card is not None
            assert card.state == "rejected"
            assert reason in card.effect, card
            assert not card.may_opt_out
        for mrid in UNREADABLE:
            assert said.count(f"event {mrid} cannot be read: ") == 1
        polls = lying.asked.count("GET /derp/1/derc")
        await lying.until(lambda: lying.asked.count("GET /derp/1/derc") >= polls + 3)
        assert set(lying.codes) == expected
        assert len(lying.codes) == len(expected)  # each once
        assert hub.log.count("WARNING") == said.count("WARNING")  # nothing is said again
        assert (await hub.home()).limit_import_w == 2000.0


async def test_a_good_event_that_turns_to_nonsense_keeps_its_home_safe(bench: Bench) -> None:
    """What was accepted is not forgotten because the next list cannot be read."""
    lying = LyingUtility(bench.hub_lfdi)
    lying.list_controls(control("600D"))
    context = server_context(bench.pki.identity("utility"), bench.pki.trust)
    async with serving(lying, context), bench.running(bench.config(f"{lying.base}/dcap")) as hub:
        await until(hub.home, lambda home: home.limit_import_w == 2000.0, 10.0, "in force")
        lying.list_controls(control("600D", duration="NaN"))
        polls = lying.asked.count("GET /derp/1/derc")
        await lying.until(lambda: lying.asked.count("GET /derp/1/derc") >= polls + 3)
        home = await hub.home()
        assert home.limit_import_w == 2000.0
        assert [card.state for card in home.events] == ["running"]
        assert len(hub.logged("event 600D cannot be read any more")) == 1
        assert lying.codes == [("600D", 1), ("600D", 2)]
