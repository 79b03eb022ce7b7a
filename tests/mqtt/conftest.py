"""A real broker for each test that asks for it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.mqtt.broker import Mosquitto, mosquitto


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Mosquitto]:
    async with mosquitto(tmp_path) as running:
        yield running
