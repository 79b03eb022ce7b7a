"""The home's SunSpec devices, made as the options say, each on its socket."""

import ssl
from collections.abc import Callable
from functools import partial

from der.sim.errors import OptionError
from der.sim.faults import Fault
from der.sim.journal import Journal
from der.sim.modbus.framing import Mbap, Rtu
from der.sim.modbus.server import ModbusServer
from der.sim.options import Options
from der.sim.physics.house import Flow, House, Snapshot
from der.sim.physics.wiring import Wiring
from der.sim.sunspec.classic import ClassicBattery, ClassicPv
from der.sim.sunspec.classic_points import Shape
from der.sim.sunspec.grid_support import GridSupport, Ratings
from der.sim.sunspec.inverters import BatteryInverter, PvInverter
from der.sim.sunspec.meters import Fitting, Meter, share
from der.sim.sunspec.options import Carrier, Style
from der.sim.sunspec.unit import SunSpecDevice, SunSpecUnit

_CLASSIC = frozenset({Style.CLASSIC, Style.CLASSIC_FLOAT})


class SunSpecHome:
    """Meter, sub-meters, PV and battery inverter.

    Attributes:
        wiring: Which part is on which phase.
        pv: The PV inverter.
        battery: The battery inverter.
        servers: Those that are served, by name.

    Raises:
        OptionError: A device is to speak TLS, and its files cannot be read.
    """

    def __init__(
        self,
        options: Options,
        house: House,
        journal: Journal,
        fault: Callable[[str], Fault],
        clock: Callable[[], float],
    ) -> None:
        self._options = options
        self._house = house
        self._journal = journal
        self._fault = fault
        self._clock = clock
        self.wiring = Wiring(options.phases, options.parts())
        self.servers: dict[str, ModbusServer] = {}
        order = options.meter_order or options.phases
        fitting = Fitting(int(options.meter_model), order, options.meter_inverted)
        meter = Meter("Meter", "SIM-METER-1", self.wiring.at_meter, self._home, fitting)
        self._serve("meter", meter, options.meter_port, options.meter_carrier)
        self.pv = self._pv()
        self.battery = self._battery()
        for part, inverter in (("pv", self.pv), ("battery", self.battery)):
            if isinstance(inverter, PvInverter | BatteryInverter):
                inverter.phases = len(self.wiring.of(part))
        self._serve("pv", self.pv, options.pv_port, options.pv_carrier)
        self._serve("battery", self.battery, options.battery_port, options.battery_carrier)
        for number in range(1, options.extra_meters + 1):
            # Equal circuits: together with the rest that no sub-meter sees they are the base load.
            circuit = partial(_circuit, 1 / (options.extra_meters + 1))
            serial = f"SIM-SUB-{number}"
            meter = Meter("Sub-meter", serial, circuit, self._home, Fitting())
            self._serve(f"sub_meter_{number}", meter, 0, Carrier.TCP)

    def _pv(self) -> PvInverter | ClassicPv:
        options = self._options
        if options.pv_style in _CLASSIC:
            shape = self._shape("pv", options.pv_style)
            fault = self._fault("pv")
            return ClassicPv(shape, options.pv_max_w, fault, self._home, self._journal, self._clock)
        support = self._support(options.pv_style, options.pv_max_w)
        return PvInverter(options.pv_max_w, self._home, self._journal, self._clock, support)

    def _battery(self) -> BatteryInverter | ClassicBattery:
        options, capacity_wh = self._options, self._options.battery_kwh * 1000
        if options.battery_style in _CLASSIC:
            return ClassicBattery(
                self._shape("battery", options.battery_style),
                options.battery_max_w,
                capacity_wh,
                self._fault("battery"),
                self._home,
                self._journal,
                self._clock,
            )
        return BatteryInverter(
            options.battery_max_w,
            capacity_wh,
            self._home,
            self._journal,
            self._clock,
            self._support(options.battery_style, options.battery_max_w),
        )

    def _shape(self, part: str, style: Style) -> Shape:
        return Shape(len(self.wiring.of(part)), style is Style.CLASSIC_FLOAT)

    def _support(self, style: Style, max_w: float) -> GridSupport | None:
        if style is not Style.FULL:
            return None
        options = self._options
        return GridSupport(
            Ratings.of(max_w),
            options.curve_adoption,
            reverts=options.curve_reversion,
            slots=options.curve_slots,
        )

    def _home(self) -> Snapshot:
        return self._house.now

    def _serve(self, name: str, device: SunSpecDevice, port: int, carrier: Carrier) -> None:
        if not self._options.serves(name):
            return
        fault = self._fault(name)
        unit = SunSpecUnit(
            device, fault, self._home, one_point=self._options.single_points, clock=self._clock
        )
        self.servers[name] = ModbusServer(
            name,
            unit,
            fault,
            port,
            restart=unit.restart,
            framing=Rtu() if carrier is Carrier.RTU_OVER_TCP else Mbap(),
            tls=_server_side(self._options) if carrier is Carrier.TLS else None,
        )


def _circuit(part: float, home: Snapshot, phase: str) -> Flow:
    del phase
    return share(home.base, part)


def _server_side(options: Options) -> ssl.SSLContext:
    """Return a device's side of TLS: the hub must show a certificate of the given roots."""
    files = (options.tls_certificate, options.tls_key, options.tls_trust)
    certificate, key, trust = files
    if certificate is None or key is None or trust is None:
        raise OptionError("TLS needs --tls-certificate, --tls-key and --tls-trust")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_REQUIRED
    try:
        context.load_cert_chain(certificate, key)
        context.load_verify_locations(trust)
    except OSError as error:
        raise OptionError(f"TLS files {certificate}, {key}, {trust}: {error}") from error
    return context
