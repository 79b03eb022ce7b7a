"""Grid visibility: how soon an answer is there, and how steadily a stream tells."""

import asyncio
import json
import time
from pathlib import Path
from statistics import median
from typing import Final

from tests.benchmarks.common import in_ms, percentile
from tests.benchmarks.programs_home import EVENING, at_home, scene
from tests.benchmarks.programs_judge import Row
from tests.e2e.seen import Recipient

ASKED: Final = 50
STREAMED_S: Final = 60
FRESH_S: Final = 1.5
"""A reading told so soon after it was taken is inside: a cycle is a second."""


async def visibility(folder: Path) -> Row:
    """BUC-13: from the question to the answer; from a measurement to its line in the stream."""
    recipient = Recipient(folder)
    async with at_home(folder, scene(EVENING, economy=recipient.economy)) as home:
        await home.rig.post_page(
            "/api/grants",
            {
                "recipient": recipient.lfdi,
                "name": "Grid operator",
                "purpose": "grid-operation",
                "data": ["live"],
                "until": time.time() + 3600,
            },
        )
        took: list[float] = []
        ages: list[float] = []
        async with recipient.session() as session:
            for _ in range(ASKED):
                began = time.monotonic()
                async with session.get("/visibility/now") as answer:
                    await answer.read()
                    assert answer.status == 200, await answer.text()
                took.append(time.monotonic() - began)
                await asyncio.sleep(1.1)  # at most sixty a minute
            async with session.get("/visibility/stream") as stream:
                for _ in range(STREAMED_S):
                    line = json.loads(await stream.content.readline())
                    ages.append(time.time() - line["measured_at"])
        return Row(
            first_write_ms=1000.0 * median(took),
            inside_share=sum(age <= FRESH_S for age in ages) / len(ages),
            delivered_share=len(ages) / STREAMED_S,
            comfort_minutes=None,
            trigger="request over TLS, each logged on the disk before it is answered",
            more={
                "answer_p99_ms": in_ms(percentile(took, 0.99)),
                "stream_age_p50_ms": in_ms(median(ages)),
                "stream_age_max_ms": in_ms(max(ages)),
            },
        )
