"""Chargers that are looked at before anything is told to them: let in, turned away, dropped."""

import asyncio
from contextlib import suppress

import pytest
from aiohttp import ClientError, WSServerHandshakeError

from der.drivers.ocpp.station import Version
from der.errors import TransientError
from der.model import Connection, Setpoint
from tests.der.drivers.ocpp.bench import VERSIONS, central, settled
from tests.der.drivers.ocpp.chargers import calling
from tests.waiting import until

pytestmark = pytest.mark.requirement("L2-BLOCK", "L2-TRUST")

of_each_version = pytest.mark.parametrize("version", VERSIONS, ids=["1.6", "2.0.1"])


@of_each_version
async def test_who_is_refused_does_not_get_in(version: Version) -> None:
    async with central(version) as (system, station):
        asked: list[tuple[str, Connection]] = []

        def refuse(device: str, connection: Connection) -> str:
            asked.append((device, connection))
            return "it was stolen"

        system.inspect_by(refuse)
        with pytest.raises(WSServerHandshakeError) as refused:
            async with calling(system.port, version.subprotocol, boot=False):
                pass
        assert refused.value.status == 403
        assert asked == [("ev", Connection("OCPP station CP1", host="127.0.0.1"))]
        assert not station.online


@of_each_version
async def test_one_that_says_it_is_another_is_told_nothing(version: Version) -> None:
    async with central(version) as (system, station):
        with pytest.raises(TransientError):
            await station.mandate.limit(Setpoint(7000, 600))  # it waits for the charger
        models: list[str] = []

        def look(_: str, connection: Connection) -> str | None:
            models.append(connection.model)
            return "another" if connection.model else None

        system.inspect_by(look)
        with suppress(ClientError, ConnectionError, TimeoutError, asyncio.CancelledError):
            async with asyncio.timeout(3), calling(system.port, version.subprotocol) as ev:
                await ev.next("SetChargingProfile")
                pytest.fail("it was told a limit")
        assert any(models), "it said who it is"
        assert not station.online
        assert station.record.connection.model == "", "the next that calls may be the right one"


@of_each_version
async def test_one_that_is_dropped_is_looked_at_when_it_calls_again(version: Version) -> None:
    async with central(version) as (system, station):
        shut = False
        system.inspect_by(lambda _device, _connection: "it was stolen" if shut else None)
        async with calling(system.port, version.subprotocol) as ev:
            await settled(ev)
            assert station.online
            shut = True
            system.drop("another")
            assert station.online
            system.drop("ev")

            async def online() -> bool:
                return station.online

            await until(online, lambda on: not on, 3.0, "dropped")
        with pytest.raises(WSServerHandshakeError):
            async with calling(system.port, version.subprotocol, boot=False):
                pass
        shut = False
        async with calling(system.port, version.subprotocol):
            await station.arrived()
