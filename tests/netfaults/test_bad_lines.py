"""The way to the utility is bad, or leads elsewhere: the quick cases; see `test_worse_lines`."""

import pytest

from tests.machines import needs_namespaces
from tests.netfaults.conftest import Line
from tests.netfaults.names import Book
from tests.netfaults.town import BOOK, KNOWN, NAME, NAMES
from tests.netfaults.wire import Weather

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.requirement("LC-TEST", "PRO-2030.5"),
    pytest.mark.timeout(900),
    needs_namespaces,
]


@pytest.mark.parametrize(
    "weather",
    [Weather(loss=0.3), Weather(delay_s=2.0), Weather(delay_s=0.05, jitter_s=0.5)],
    ids=["30 % lost", "2 s each way", "packets overtake each other"],
)
async def test_an_event_is_carried_out_and_answered_once(line: Line, weather: Weather) -> None:
    with line.town.bad("wan", weather):
        event = await line.event(seconds=60)
        await line.runs(event)
        await line.rig.cancel(event.id)
        await line.answered(event, [1, 2, 6])


async def test_the_name_server_is_gone(line: Line) -> None:
    """New connections go where the last ones went, and what is to be said is said."""
    line.town.book(Book(mood="silent"))
    line.town.new_flows()
    try:
        event = await line.event(seconds=60)
        await line.runs(event)
        line.town.new_flows()
        await line.rig.cancel(event.id)
        await line.answered(event, [1, 2, 6])
    finally:
        assert line.town.book(BOOK) > 0, "nobody was asked"


async def test_a_name_leads_to_somebody_else(line: Line) -> None:
    """Nothing is said to whom the certificate does not show to be the utility."""
    inn = line.inn.identity("utility")
    with line.town.impostor(NAMES, line.rig.stage.port, inn.certificate, inn.key) as impostor:
        line.town.book(Book(names={**KNOWN, NAME: (NAMES,)}))
        try:
            await line.link_of_new_flows("refused", "a CA that is not trusted")
        finally:
            line.town.book(BOOK)
    assert not impostor.said


async def test_a_captive_portal(line: Line) -> None:
    """It answers for everybody outside, with a certificate of its own."""
    inn = line.inn.identity("utility")
    with line.town.inn(inn.certificate, inn.key) as portal:
        await line.link("refused", "a CA that is not trusted")
    assert not portal.said
