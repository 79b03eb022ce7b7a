"""The commands of a charger: in and out of operation, restart, profiles, what it can do, tests."""

from typing import Final

from der.commands import (
    Ability,
    ClearChargingProfile,
    Command,
    Connect,
    DeviceOptions,
    Disconnect,
    FirmwareVersion,
    Identify,
    Options,
    Reset,
    SelfTest,
    SelfTestReport,
    WriteChargingProfile,
)
from der.drivers.ocpp.plan import Step, watts
from der.drivers.ocpp.station import Station
from der.errors import DeviceError, PermanentError
from der.service import A, unsupported

_ABILITIES: Final = frozenset(
    {
        Ability.POWER,
        Ability.CONNECT,
        Ability.RESET,
        Ability.CHARGING_PROFILE,
        Ability.SELF_TEST,
    }
)
_ANY_TAG: Final = "hub"
"""What a transaction that the hub starts is for where any card may charge."""
_SCHEDULE_S: Final = 60
_SLACK_W: Final = 60.0
"""What a charger may round a limit by."""


class Controls:
    """Carries out the commands of one charger.

    Args:
        station: The charger.
    """

    def __init__(self, station: Station) -> None:
        self._station = station

    async def carry_out(self, command: Command[A]) -> object:
        """Carry out a command; errors as for `der.service.Link.ioctl`."""
        station = self._station
        match command:
            case Connect():
                return await self._connect()
            case Disconnect():
                return await self._disconnect()
            case Reset(hard):
                return await station.live("restart").reset(hard=hard)
            case Identify():
                return station.record.connection
            case FirmwareVersion():
                return station.record.connection.firmware
            case Options():
                return await self._options()
            case SelfTest():
                return await self._self_test()
            case WriteChargingProfile(steps, lapse_s):
                await station.mandate.follow(steps, lapse_s)
                return "Accepted"
            case ClearChargingProfile():
                await station.mandate.clear()
                return "Accepted"
            case _:
                raise unsupported(station.name, command)

    async def _connect(self) -> str:
        """Put it into operation; a session that the hub has ended is begun again."""
        orders = self._station.live("change to Operative")
        status = await orders.permit(operative=True)
        if self._station.stopped:
            self._station.stopped = False
            tags = sorted(self._station.address.id_tags)
            await orders.start(tags[0] if tags else _ANY_TAG)
        return status

    async def _disconnect(self) -> str:
        """Put it out of operation; availability alone would wait for the transaction's end.

        OCPP has no time after which it would be operative again by itself.
        """
        orders = self._station.live("change to Inoperative")
        transaction = self._station.record.transaction
        refusal: PermanentError | None = None
        if transaction is not None:
            try:
                await orders.stop(transaction)
                self._station.stopped = True
            except PermanentError as error:
                refusal = error  # then at least no other transaction shall begin
        status = await orders.permit(operative=False)
        if refusal is not None:
            raise refusal
        return status

    async def _options(self) -> DeviceOptions:
        station = self._station
        details = [station.version.name]
        try:
            await station.live("options").facts()
        except PermanentError as error:
            details.append(str(error))
        details += [f"{name}: {value}" for name, value in sorted(station.record.facts.items())]
        return DeviceOptions(_ABILITIES, frozenset(), station.mandate.safeguard, tuple(details))

    async def _self_test(self) -> SelfTestReport:
        """Compare what rules in the charger with what should, and its clock with ours."""
        schedule, schedule_well = await self._schedule()
        clock, clock_well = self._clock()
        risk = self._station.mandate.safeguard.risk
        fallback = f"fallback: {risk or 'confirmed'}"
        report, reports = self._report()
        passed = schedule_well and clock_well and reports and not risk
        return SelfTestReport(passed, (schedule, clock, fallback, report))

    async def _schedule(self) -> tuple[str, bool]:
        station, what = self._station, "schedule"
        expected = station.mandate.expected()
        try:
            told = await station.live(what).schedule(_SCHEDULE_S)
        except PermanentError as error:
            return f"{what}: not known: {error}", True  # a charger need not be able to tell
        except DeviceError as error:
            return f"{what}: {error}", False
        if expected is None:
            return f"{what}: nothing limits it, as told", True
        if not told:
            return f"{what}: the charger knows of none", False
        wanted_w, rules_w = self._watts(expected), told[0].limit
        agrees = rules_w <= wanted_w + _SLACK_W
        words = "as told" if agrees else f"though told {wanted_w:g} W"
        return f"{what}: the charger keeps to {rules_w:g} W, {words}", agrees

    def _watts(self, step: Step) -> float:
        wiring = self._station.address.wiring
        return watts(step.limit, wiring.unit, wiring, step.phases)

    def _clock(self) -> tuple[str, bool]:
        clock = self._station.record.clock
        if clock.ahead_s is None:
            return "clock: it has not said the time yet", True
        if clock.off_s:
            return f"clock: {clock.ahead_s:+.0f} s off", False
        return "clock: right", True

    def _report(self) -> tuple[str, bool]:
        now = self._station.record.now()  # what is remembered may move along
        sample = self._station.record.sample
        if sample is None or sample.power_w is None:
            return "meter: no power reported yet", self._station.record.has_car is False
        return f"meter: {sample.power_w:g} W, {now - sample.at:.0f} s ago", True
