"""GET /api/money: the accounts, and what it refuses."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import aiohttp
import pytest

from hems.money.surface import MoneyView, Step, TooManyPeriodsError
from hems.surface import SurfaceError
from tests.web.script import ZONE
from tests.web.surface import ScriptedClock, ScriptedHome
from web.money_api import MoneyApi
from web.server import serving
from web.settings import WebSettings

DAY = MoneyView(
    start=0.0,
    end=86_400.0,
    currency="EUR",
    import_wh=8000.0,
    export_wh=1000.0,
    sun_wh=5000.0,
    used_wh=12_000.0,
    cost=2.4,
    revenue=0.08,
    charges=0.35,
    total=2.67,
    saved_no_control=0.5,
    saved_greedy=None,
    carbon_kg=None,
    self_consumption=0.8,
    autarky=0.3,
    measured=1.0,
)


@dataclass
class Books:
    """Accounts in memory, and what was asked of them."""

    asked: list[tuple[object, ...]] = field(default_factory=list)
    error: SurfaceError | None = None
    told: list[MoneyView] = field(default_factory=lambda: [DAY])

    async def money(self, start: float, end: float, step: Step) -> Sequence[MoneyView]:
        return self._told(start, end, step)

    async def money_days(self, days: int) -> Sequence[MoneyView]:
        return self._told(days)

    def _told(self, *asked: object) -> Sequence[MoneyView]:
        self.asked.append(asked)
        if self.error is not None:
            raise self.error
        return self.told


@pytest.fixture
def books() -> Books:
    return Books()


@pytest.fixture
async def client(books: Books, settings: WebSettings) -> AsyncIterator[aiohttp.ClientSession]:
    async with (
        serving(
            ScriptedHome(), settings, ScriptedClock(), [MoneyApi(books, settings.time_zone)]
        ) as url,
        aiohttp.ClientSession(url) as session,
    ):
        yield session


@pytest.mark.requirement("ROLE-UI")
async def test_the_accounts_of_a_week(client: aiohttp.ClientSession, books: Books) -> None:
    async with client.get("/api/money") as response:
        answer = await response.json()
    assert response.status == 200
    assert answer["time_zone"] == ZONE
    (day,) = answer["periods"]
    assert (day["total"], day["saved_greedy"], day["autarky"]) == (2.67, None, 0.3)
    assert books.asked == [(7,)]


@pytest.mark.parametrize(
    ("query", "asked"),
    [
        ("days=30", (30,)),
        ("start=0&end=86400", (0.0, 86_400.0, Step.DAY)),
        ("start=0&end=86400&step=interval", (0.0, 86_400.0, Step.INTERVAL)),
        ("start=0&end=86400&step=month", (0.0, 86_400.0, Step.MONTH)),
    ],
)
async def test_other_times(
    client: aiohttp.ClientSession, books: Books, query: str, asked: tuple[object, ...]
) -> None:
    async with client.get(f"/api/money?{query}") as response:
        assert response.status == 200
    assert books.asked == [asked]


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("days=0", "days: "),
        ("days=7&start=0&end=1", "not both"),
        ("start=0", "start and end go together"),
        ("start=5&end=5", "end must be after start"),
        ("step=day", "a step needs start and end"),
        ("start=0&end=1&step=week", "step: "),
        ("start=nan&end=1", "start: "),
        ("day=1", "day: "),
    ],
)
async def test_nonsense_is_refused_in_words(
    client: aiohttp.ClientSession, books: Books, query: str, reason: str
) -> None:
    async with client.get(f"/api/money?{query}") as response:
        assert response.status == 400
        assert reason in (await response.json())["error"]
    assert books.asked == []


@pytest.mark.parametrize(
    ("error", "status"), [(TooManyPeriodsError("too many"), 400), (SurfaceError("broken"), 503)]
)
async def test_what_the_accounts_refuse(
    client: aiohttp.ClientSession, books: Books, error: SurfaceError, status: int
) -> None:
    books.error = error
    async with client.get("/api/money?days=1") as response:
        assert response.status == status
        assert (await response.json())["error"] == str(error)
