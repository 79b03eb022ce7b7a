"""From the configuration to what each part is started with; pure, no I/O but reading the keys."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit

from certs.agent.machine import machine
from certs.identity import IdentityFiles, Trust, lfdi, sfdi
from certs.keys.opening import key_store
from certs.pem import der, read_certificates
from certs.standing import Policy
from der.addresses import (
    BrokerSettings,
    CentralSettings,
    Shared,
    TlsFiles,
)
from der.commands import DeviceOptions
from der.description import DeviceDescription
from der.drivers.feed import FEED_SERVICE, Feed
from der.model import DeviceKind, DeviceSpec
from der.registry import Driver, Registry
from hems.cem.needs import StorageFacts
from hems.cem.policy import AllocatorPolicy, SurplusFirst
from hems.emg.modes import modes
from hems.emg.nameplate import beyond
from hems.emg.ratings import ratings
from hems.emg.self_report import HARDWARE, MODEL, Maker, SelfReport
from hems.emg.series import mirror_specs
from hems.reserves.terms import Hours, Terms
from hems.sep2.client import ClientSettings, ListenSettings
from hems.sep2.enddevice.enrolment import MemberSettings
from hems.sep2.enddevice.registration import Identity
from hems.sep2.rules.dialect import Dialect
from hems.sep2.rules.events import Event
from hems.sep2.rules.lifecycle import Profile
from hems.sep2.walk.walker import Pace
from hems.server_certificate import ServerTerms
from hems.settings.config import Config
from hems.settings.device_section import NOMINAL_V, description
from hems.settings.utility_section import OCSP_NAMED, OCSP_OFF, UtilitySection
from programs.capability import StoreFacts
from programs.envelope import EnvelopePolicy
from programs.envelope_var import EnvelopeVarPolicy
from programs.ownership import all_of_provider
from programs.peak_shaving import PeakShavingPolicy
from programs.registry import Policies
from programs.safety import SafetyPolicy
from programs.self_consumption import SelfConsumptionPolicy, StorageUse
from programs.slope import SlopePolicy
from programs.volt_var import VoltVarPolicy
from programs.volt_watt import VoltWattPolicy

_NO_OPTIONS: Final[Mapping[str, DeviceOptions]] = MappingProxyType({})


def descriptions(config: Config) -> tuple[DeviceDescription, ...]:
    """Return the devices as the registry wants them described."""
    carried_w = breaker_w(config)
    return tuple(description(device, carried_w) for device in config.device)


def fed_by(config: Config) -> frozenset[str]:
    """Return who brings readings of devices that are only fed."""
    return frozenset(
        device.source
        for device in config.device
        if device.driver is Driver.FEED and device.source is not None
    )


def breaker_w(config: Config) -> float:
    """Return the greatest power in W that the main breaker carries."""
    return policies(config).safety.limit_w


def shared(config: Config) -> Shared:
    """Return what devices share: where chargers call in, and where the broker is."""
    ocpp, mqtt = config.ocpp, config.mqtt
    tls = None
    if ocpp.certificate is not None:
        tls = TlsFiles(ocpp.trust or ocpp.certificate, ocpp.certificate, ocpp.key)
    return Shared(
        CentralSettings(ocpp.host, ocpp.port, tls, client_certificates=ocpp.trust is not None),
        BrokerSettings(
            mqtt.host,
            mqtt.port,
            mqtt.username,
            mqtt.password,
            None if mqtt.trust is None else TlsFiles(mqtt.trust),
        ),
    )


def policies(config: Config) -> Policies:
    """Return the programmes' policies."""
    home, agreed = config.home, config.connection
    return Policies(
        safety=SafetyPolicy(home.main_breaker, NOMINAL_V, home.phases),
        self_consumption=SelfConsumptionPolicy(StorageUse(home.battery)),
        volt_var=VoltVarPolicy(NOMINAL_V),
        volt_watt=VoltWattPolicy(NOMINAL_V),
        envelope_var=_envelope_var(config),
        slope=SlopePolicy(config.slope.bound, binding=config.slope.agreed),
        envelope=EnvelopePolicy(
            fixed_export_w=agreed.export_limit,
            fixed_import_w=agreed.import_limit,
            phase_export_w=agreed.phase_export_limit,
            phase_import_w=agreed.phase_import_limit,
            phases=home.phases,
        ),
        peak_shaving=PeakShavingPolicy(config.peak.limit),
    )


def _envelope_var(config: Config) -> EnvelopeVarPolicy:
    """Return the bounds on reactive power and voltage at the connection point."""
    asked = config.voltage_support
    inject_var = asked.inject_limit
    return EnvelopeVarPolicy(
        least_var=None if inject_var is None else -inject_var,
        greatest_var=asked.absorb_limit,
        least_v=asked.lowest,
        greatest_v=asked.highest,
        binding=asked.agreed,
        nominal_v=NOMINAL_V,
        import_w=config.home.main_breaker * NOMINAL_V * config.home.phases,
    )


def slopes(config: Config) -> Mapping[str, float]:
    """Return the slope of net power, W a minute, that each programme was joined with, by name."""
    return {
        program.name: program.slope
        for utility in config.utility
        for program in utility.program
        if program.slope is not None
    }


def still(active: Policies) -> Policies:
    """Return policies under which nothing moves for gain, so that a test move can be seen."""
    return replace(active, self_consumption=SelfConsumptionPolicy(StorageUse.HOLD))


def storage_facts(config: Config) -> Mapping[str, StorageFacts]:
    """Return what of each battery nobody measures, by id."""
    return {
        device.id: StorageFacts(
            device.storage.capacity,
            device.storage.charge_efficiency,
            device.storage.discharge_efficiency,
            device.storage.wear,
        )
        for device in config.device
        if device.storage is not None
    }


def store_facts(config: Config) -> Mapping[str, StoreFacts]:
    """Return what of each battery nobody measures, as promises take it, by id."""
    return {
        name: StoreFacts(facts.capacity_wh, facts.charge_efficiency, facts.discharge_efficiency)
        for name, facts in storage_facts(config).items()
    }


def reserve_terms(config: Config) -> Terms | None:
    """Return what the owner consents to offer as reserve; None for nothing."""
    section = config.reserve
    if not section.enabled:
        return None
    return Terms(
        section.utility or config.utility[0].name,
        frozenset(section.programs),
        config.home.zone,
        frozenset(section.products),
        tuple(Hours(*times) for times in section.hours),
        section.share,
        section.call,
        section.least_price,
        section.binding,
        config.home.battery_reserve,
    )


def allocator(config: Config) -> AllocatorPolicy:
    """Return the allocator's figures."""
    return AllocatorPolicy(
        reserve_soc=config.home.battery_reserve,
        surplus_first=SurplusFirst(config.home.surplus_first),
    )


def identity_files(config: Config, utility: UtilitySection) -> tuple[IdentityFiles, Trust]:
    """Return where our identity lies, and whom we trust.

    Raises:
        KeyStoreError: The key store that is configured cannot be made.
    """
    keys = key_store(config.keys.settings)
    identity = IdentityFiles(utility.certificate, utility.key, keys)
    return identity, Trust(utility.trust, utility.crls)


def server_terms(utility: UtilitySection) -> ServerTerms:
    """Return how the certificates of a utility's server are judged."""
    own = utility.ocsp not in {OCSP_NAMED, OCSP_OFF}
    return ServerTerms(
        utility.name,
        Policy(utility.revocation == "hard", utility.revocation_grace),
        responder=utility.ocsp if own else None,
        asks=utility.ocsp != OCSP_OFF,
        server=urlsplit(utility.url or "").hostname or "",
    )


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
    here = machine()
    return SelfReport(
        Maker(
            lfdi=own,
            serial=str(sfdi(own)),
            software=version("hems"),
            activated=started,
            model=here.model or MODEL,
            hardware=here.hardware or HARDWARE,
        ),
        dialect(utility),
        name=config.home.name if name is None else name,
        connection_point=utility.connection_point,
        floor_soc=config.home.battery_reserve,
        facts=store_facts(config),
    )


def client_settings(
    utility: UtilitySection,
    own: str,
    specs: Iterable[DeviceSpec] = (),
    options: Mapping[str, DeviceOptions] = _NO_OPTIONS,
) -> ClientSettings:
    """Return how the home talks to its utility.

    Args:
        utility: Its section of the configuration.
        own: LFDI of the hub's certificate.
        specs: The home's devices.
        options: What they say that they can do, by id.
    """
    spoken, devices = dialect(utility), tuple(specs)
    lfdi_there = utility.lfdi or own
    basic = utility.responses == "basic"
    binding = _binding(utility)
    return ClientSettings(
        identity=Identity(lfdi_there, sfdi(lfdi_there), int(utility.pin)),
        server=utility.name,
        url=utility.url,
        profile=_profile(spoken, devices, options, basic=basic),
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
                _profile(spoken, _part(devices, member.devices), options, basic=basic),
                _bound if all_of_provider(_own(devices, member.devices)) else binding,
                registers=utility.register_in_band,
                name=member.name,
            )
            for member in utility.member
        ),
        certificate=own,
    )


def _profile(
    spoken: Dialect,
    specs: Sequence[DeviceSpec],
    options: Mapping[str, DeviceOptions],
    *,
    basic: bool,
) -> Profile:
    """Return how events are answered by an EndDevice with these devices."""
    whole = ratings(specs, options)
    return replace(
        spoken.profile(modes(specs, options), basic=basic),
        beyond=lambda mode, value: beyond(mode, value, whole),
    )


def _part(specs: Sequence[DeviceSpec], ids: Collection[str]) -> Sequence[DeviceSpec]:
    """Return the devices that a member stands for, and the meter; all if it names none."""
    return [s for s in specs if not ids or s.id in ids or s.kind is DeviceKind.METER]


def _own(specs: Sequence[DeviceSpec], ids: Collection[str]) -> Sequence[DeviceSpec]:
    """Return the devices that a member names."""
    return [s for s in specs if s.id in ids]


def _bound(event: Event) -> bool:
    """Events for devices of the service provider alone are not the owner's to leave."""
    del event
    return True


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


def feed(registry: Registry) -> Feed | None:
    """Return where readings are brought that no device is asked for; None if no device is fed."""
    found = registry.services.get(FEED_SERVICE)
    return found if isinstance(found, Feed) else None
