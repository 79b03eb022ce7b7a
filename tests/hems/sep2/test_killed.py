"""A home killed at any commit of its ledger: it takes up where it was, and answers exactly once.

The home is a process of its own with a real store, the utility a real TLS server in this process.
A script of events goes on as the home answers; the home dies once, at a chosen boundary of its
ledger, and is started again.
"""

import asyncio
import random
import signal
import ssl
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from certs.pki import Pki
from hems.clock import SystemClock
from hems.sep2 import resources as res
from hems.sep2.book.book import BookSettings
from hems.sep2.book.engine import Engine
from hems.sep2.book.ledger import EventRow
from hems.sep2.rules.lifecycle import Phase
from hems.store.store import open_store
from tests.hems.sep2.client_home import Home
from tests.hems.sep2.controls_made import control, shed
from tests.hems.sep2.mortal_home import SERVER
from tests.hems.sep2.offering import offer_flow
from tests.hems.sep2.utility import Utility, items_of, serving

pytestmark = pytest.mark.requirement("PRO-2030.5")

LIST = "/derp/1/derc"
LONG_S = 100_000
WATTS = res.ActivePower.of(1000)

EXPECTED = Counter(
    {
        **{("E1", code): 1 for code in (1, 2, 7)},  # superseded by E4
        **{("E2", code): 1 for code in (1, 2, 3)},  # completed, when the server's clock leaps
        **{("E3", code): 1 for code in (1, 2, 6)},  # cancelled by the server
        **{("E4", code): 1 for code in (1, 2)},
        **{("E5", code): 1 for code in (1, 2)},
        **{("E6", code): 1 for code in (253,)},  # refused
    }
)
"""The responses of the whole script, however often the home dies."""


class Script:
    """A utility whose events go on as the home answers."""

    def __init__(self, utility: Utility) -> None:
        self.utility = utility
        now = int(time.time())
        for event in (
            control("E1", now - 10, LONG_S, randomize_start=-9),
            control("E2", now - 10, 900, base=res.DERControlBase(op_mod_exp_lim_w=WATTS)),
            control("E3", now - 10, LONG_S, base=res.DERControlBase(op_mod_gen_lim_w=WATTS)),
            control("E6", now - 10, 0),
        ):
            utility.append(LIST, event)
        offer_flow(utility)
        utility.append("/dr/1/edc", shed("E5", now - 10, LONG_S, 2000))
        self._newer = control("E4", now - 5, LONG_S, creation=2, randomize_start=-4)

    async def run(self) -> None:
        """Go on with the script as responses come in; ends with the last one."""
        utility = self.utility
        await utility.until(lambda: ("E1", 2) in utility.codes, within_s=60)
        utility.append(LIST, self._newer)
        await utility.until(lambda: ("E3", 2) in utility.codes, within_s=60)
        self._cancel("E3")
        await utility.until(lambda: {("E4", 2), ("E3", 6)} <= {*utility.codes}, within_s=60)
        utility.ahead_s += 1000
        await utility.until(lambda: EXPECTED.keys() <= {*utility.codes}, within_s=60)
        await utility.until(lambda: utility.posted("/edev/1/frq"), within_s=60)

    def _cancel(self, mrid: str) -> None:
        name = items_of(self.utility.resources[LIST])
        events = getattr(self.utility.resources[LIST], name)
        status = res.EventStatus(
            current_status=2, date_time=int(time.time()), potentially_superseded=False
        )
        self.utility.change(
            LIST,
            **{
                name: tuple(
                    replace(e, event_status=status) if e.mrid == mrid else e for e in events
                )
            },
        )


@dataclass(frozen=True, slots=True)
class Mortal:
    """How to start the home."""

    pki: Pki
    home: Home
    path: Path

    async def start(self, url: str, fatal: int = 0) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.hems.sep2.mortal_home",
            str(self.pki.folder),
            url,
            str(self.path),
            self.home.lfdi,
            str(self.home.sfdi),
            str(fatal),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )

    async def rows(self) -> Sequence[EventRow]:
        store = await open_store(self.path, SystemClock())
        try:
            return await store.ledger.events()
        finally:
            await store.close()

    async def resumed(self) -> Engine:
        """Return an engine that has taken up what the dead home left, without any server."""
        store = await open_store(self.path, SystemClock())
        engine = Engine(
            BookSettings(SERVER, self.home.lfdi),
            store.ledger,
            SystemClock(),
            random.Random(0),  # noqa: S311 - draws, not secrets
        )
        engine.set_offset(await store.ledger.server_offset(SERVER) or 0.0)
        await engine.load()
        await store.close()
        return engine


async def finish(process: asyncio.subprocess.Process) -> int:
    """End a home in good order; returns how many boundaries it passed."""
    output, _ = await process.communicate(b"")
    assert process.returncode == 0
    return int(output)


async def play(mortal: Mortal, context: ssl.SSLContext, fatal: int) -> int:
    """Play the script with a home that dies at a boundary; returns the boundaries of the last."""
    async with serving(mortal.home.utility(), context) as utility:
        script = asyncio.create_task(Script(utility).run())
        url = utility.base + "/dcap"
        if fatal:
            process = await mortal.start(url, fatal)
            await asyncio.wait(
                [script, waiting := asyncio.create_task(process.wait())],
                return_when=asyncio.FIRST_COMPLETED,
            )
            if not script.done():
                assert process.returncode == -signal.SIGKILL
            else:  # its last boundary may come after the last response, or not at all
                await process.communicate(b"")
                assert process.returncode in {0, -signal.SIGKILL}
            await waiting
        draws = {row.mrid: draws_of(row) for row in await mortal.rows()}
        engine = await mortal.resumed()
        runs = {a.event for a in engine.schedule.active.values()}
        live = {s.event.mrid for s in engine.events if s.phase is Phase.STARTED}
        assert live == runs, "what had started is in force again, without the server"
        process = await mortal.start(url)
        await script
        passed = await finish(process)
        assert Counter(utility.codes) == EXPECTED
        assert len(utility.posted("/edev/1/frq")) == 1, "what was wished is asked for once"
    after = {row.mrid: draws_of(row) for row in await mortal.rows()}
    assert draws.items() <= after.items(), "what was drawn stays"
    return passed


def draws_of(row: EventRow) -> tuple[int, int, int]:
    return row.draw_start_s, row.draw_duration_s, row.draw_cancel_s


@pytest.fixture
def mortal(pki: Pki, home: Home, tmp_path: Path) -> Mortal:
    return Mortal(pki, home, tmp_path / "hems.db")


@pytest.mark.parametrize("fatal", [4, 9])
async def test_a_home_killed_at_a_commit_answers_once(
    mortal: Mortal, context: ssl.SSLContext, fatal: int
) -> None:
    await play(mortal, context, fatal)


@pytest.mark.deep
async def test_a_home_killed_at_every_commit_answers_once(
    mortal: Mortal, context: ssl.SSLContext, tmp_path: Path
) -> None:
    boundaries = await play(mortal, context, 0)
    assert boundaries > 2 * len(EXPECTED)
    for fatal in range(1, boundaries + 1):
        await play(replace(mortal, path=tmp_path / f"{fatal}.db"), context, fatal)
