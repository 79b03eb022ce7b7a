"""From the configuration to what each part is started with; pure, no I/O but reading the keys."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from importlib.metadata import version

from certs.identity import IdentityFiles, Trust, lfdi, sfdi
from certs.pem import der, read_certificates
from der.drivers.modbus import ModbusAddress
from der.drivers.ocpp16_profile import Wiring
from der.drivers.ocpp16_station import StationConfig
from der.model import DeviceKind, DeviceSpec
from der.registry import DeviceDescription
from hems.cem.policy import AllocatorPolicy
from hems.config import Config, DeviceSection, UtilitySection
from hems.emg.modes import modes
from hems.emg.self_report import Maker, SelfReport
from hems.emg.series import mirror_specs
from hems.emg.translate import Ratings
from hems.sep2.client import ClientSettings, ListenSettings
from hems.sep2.enddevice.enrolment import MemberSettings
from hems.sep2.enddevice.registration import Identity
from hems.sep2.rules.dialect import Dialect
from hems.sep2.rules.events import Event
from hems.sep2.walk.walker import Pace
from programs.registry import Policies
from programs.safety import SafetyPolicy
from programs.self_consumption import SelfConsumptionPolicy, StorageUse

NOMINAL_V = 230.0
_METERS = frozenset({DeviceKind.METER, DeviceKind.SUBMETER})


def descriptions(config: Config) -> tuple[DeviceDescription, ...]:
    """Return the devices as the registry wants them described."""
    carried_w = breaker_w(config)
    return tuple(_description(device, carried_w) for device in config.device)


def breaker_w(config: Config) -> float:
    """Return the greatest power in W that the main breaker carries."""
    return policies(config).safety.limit_w


def _description(device: DeviceSection, carried_w: float) -> DeviceDescription:
    min_w, max_w = device.min, device.max
    if device.kind in _METERS and min_w == max_w == 0.0:
        min_w, max_w = -carried_w, carried_w  # what lies far beyond it is no measurement
    station = None
    if device.station is not None:
        wiring = Wiring(phases=device.phases, voltage_v=NOMINAL_V)
        if device.fallback is not None:
            wiring = replace(wiring, fallback_a=device.fallback / (NOMINAL_V * device.phases))
        station = StationConfig(device.station, wiring=wiring)
    modbus = None
    if device.port is not None:
        modbus = ModbusAddress(device.host, device.port, device.unit)
    return DeviceDescription(
        id=device.id,
        kind=device.kind,
        name=device.name,
        driver=device.driver,
        modbus=modbus,
        station=station,
        min_w=min_w,
        max_w=max_w,
        least_on_w=device.least_on,
        essentiality=device.essentiality,
        max_age_s=device.max_age,
        min_off_s=device.min_off,
        min_on_s=device.min_on,
    )


def policies(config: Config) -> Policies:
    """Return the programmes' policies."""
    home = config.home
    return Policies(
        safety=SafetyPolicy(home.main_breaker, NOMINAL_V, home.phases),
        self_consumption=SelfConsumptionPolicy(StorageUse(home.battery)),
    )


def allocator(config: Config) -> AllocatorPolicy:
    """Return the allocator's figures."""
    return AllocatorPolicy(reserve_soc=config.home.battery_reserve)


def identity_files(utility: UtilitySection) -> tuple[IdentityFiles, Trust]:
    """Return where our identity lies, and whom we trust."""
    return IdentityFiles(utility.certificate, utility.key), Trust(utility.trust, utility.crls)


def own_lfdi(utility: UtilitySection) -> str:
    """Return the hub's LFDI.

    Raises:
        CertificateError: The certificate file is missing or damaged.
    """
    return lfdi(der(read_certificates(utility.certificate)[0]))


def dialect(utility: UtilitySection) -> Dialect:
    """Return what the utility's server speaks."""
    return Dialect(utility.edition)


def self_report(
    config: Config, utility: UtilitySection, own: str, started: int, *, name: str | None = None
) -> SelfReport:
    """Return what makes the report of the home, or of a further EndDevice, of itself.

    Args:
        config: The hub's.
        utility: Its section of the utility that the report goes to.
        own: LFDI of the device that reports.
        started: When this software was started, UTC epoch s.
        name: What the owner calls the device; None for the home itself.
    """
    return SelfReport(
        Maker(lfdi=own, serial=str(sfdi(own)), software=version("hems"), activated=started),
        dialect(utility),
        name=config.home.name if name is None else name,
        connection_point=utility.connection_point,
        floor_soc=config.home.battery_reserve,
    )


def client_settings(
    utility: UtilitySection, own: str, specs: Iterable[DeviceSpec] = ()
) -> ClientSettings:
    """Return how the home talks to its utility.

    Args:
        utility: Its section of the configuration.
        own: LFDI of the hub's certificate.
        specs: The home's devices.
    """
    spoken, devices = dialect(utility), tuple(specs)
    lfdi_there = utility.lfdi or own
    basic = utility.responses == "basic"
    binding = _binding(utility)
    return ClientSettings(
        identity=Identity(lfdi_there, sfdi(lfdi_there), int(utility.pin)),
        server=utility.name,
        url=utility.url,
        profile=spoken.profile(modes(devices), basic=basic),
        binding=binding,
        pace=Pace(least_poll_s=utility.poll_least),
        comms_loss_s=utility.comms_loss,
        listen=ListenSettings(utility.notify_host, utility.notify_port),
        mirrors=mirror_specs(lfdi_there, devices, round(utility.mirror_interval)),
        level=spoken.level,
        registers=utility.register_in_band,
        others=tuple(
            MemberSettings(
                Identity(member.lfdi, sfdi(member.lfdi), int(member.pin)),
                spoken.profile(modes(_part(devices, member.devices)), basic=basic),
                binding,
                registers=utility.register_in_band,
                name=member.name,
            )
            for member in utility.member
        ),
        certificate=own,
    )


def _part(specs: Sequence[DeviceSpec], ids: Collection[str]) -> Sequence[DeviceSpec]:
    """Return the devices that a member stands for, and the meter; all if it names none."""
    return [s for s in specs if not ids or s.id in ids or s.kind is DeviceKind.METER]


def _binding(utility: UtilitySection) -> Callable[[Event], bool]:
    """Return what tells whether the owner may not leave an event."""
    bound = {program.name: program.binding for program in utility.program}

    def binding(event: Event) -> bool:
        """As agreed, else as the standard has it.

        A DERProgram has no flag of its own; what was not agreed to be voluntary binds.
        """
        program = event.program
        agreed = bound.get(program.name, bound.get(program.mrid))
        flagged = event.mandatory or event.kind == "DERControl"
        return event.mandatory or (flagged if agreed is None else agreed)

    return binding


def ratings(specs: Iterable[DeviceSpec]) -> Ratings:
    """Return what the per cents of the utility's controls are of."""
    der = [s for s in specs if s.kind in {DeviceKind.PV, DeviceKind.BATTERY}]
    return Ratings(
        generation_w=-sum(s.min_w for s in der),
        charge_w=sum(s.max_w for s in der if s.kind is DeviceKind.BATTERY),
    )
