"""A device that asks too often is told to wait; the others are not made to."""

import pytest

from certs.pki import Pki
from hems.headend.errors import ThrottledError
from hems.headend.server import HeadEnd
from hems.headend.settings import HeadEndSettings
from hems.headend.throttle import Throttle
from tests.hems.headend.conftest import Home, Operator


class Time:
    now = 100.0

    def monotonic(self) -> float:
        return self.now


def test_so_many_a_minute_and_more_as_time_goes() -> None:
    time = Time()
    throttle = Throttle(3, time.monotonic)
    for _ in range(3):
        throttle.admit("A")
    with pytest.raises(ThrottledError, match="3 times a minute") as caught:
        throttle.admit("A")
    assert caught.value.again_s == 20
    throttle.admit("B")
    time.now += 20.0
    throttle.admit("A")
    with pytest.raises(ThrottledError):
        throttle.admit("A")
    time.now += 3600.0
    for _ in range(3):
        throttle.admit("A")
    with pytest.raises(ThrottledError):
        throttle.admit("A")


def test_without_a_limit_nobody_waits() -> None:
    throttle = Throttle(0, Time().monotonic)
    for _ in range(10_000):
        throttle.admit("A")


@pytest.mark.requirement("PRO-2030.5")
async def test_429_says_when_to_ask_again(settings: HeadEndSettings, pki: Pki) -> None:
    limited = settings.model_copy(update={"requests_per_minute": 5})
    async with HeadEnd(limited) as head_end:
        operator = Operator(head_end)
        eager = Home(pki.identity("home-a"), pki, head_end.addresses.base_url)
        patient = Home(pki.identity("home-b"), pki, head_end.addresses.base_url)
        try:
            await operator.enter(eager)
            answers = [await eager.ask("GET", "/tm") for _ in range(7)]
            assert [a.status for a in answers] == [200] * 5 + [429] * 2
            assert 1 <= int(answers[-1].headers["Retry-After"]) <= 12
            assert "5 times a minute" in answers[-1].text
            assert (await patient.ask("GET", "/tm")).status == 200
        finally:
            await eager.aclose()
            await patient.aclose()
            await operator.aclose()
