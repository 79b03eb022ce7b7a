"""Where the server's resources stand. Clients follow links and never see this table."""

DCAP = "/dcap"
TIME = "/tm"
DEVICES = "/edev"
DER_PROGRAMS = "/derp"
DR_PROGRAMS = "/drp"
RESPONSE_SETS = "/rsps"
RESPONSE_SET = f"{RESPONSE_SETS}/1"
RESPONSES = f"{RESPONSE_SET}/r"
POINTS = "/mup"
TARIFFS = "/tp"
MESSAGE_PROGRAMS = "/msg"
MESSAGE_PROGRAM = f"{MESSAGE_PROGRAMS}/1"
MESSAGES = f"{MESSAGE_PROGRAM}/txt"


def device(number: int) -> str:
    """EndDevice of a home."""
    return f"{DEVICES}/{number}"


def der(number: int) -> str:
    """The one DER of a home."""
    return f"{DEVICES}/{number}/der/1"


def der_programs(home: int) -> str:
    """DERProgramList of a home that another one speaks for."""
    return f"{DEVICES}/{home}/derp"


def dr_programs(home: int) -> str:
    """DemandResponseProgramList of a home that another one speaks for."""
    return f"{DEVICES}/{home}/drp"


def subscription(home: int, number: int) -> str:
    """Subscription of a home."""
    return f"{DEVICES}/{home}/sub/{number}"


def der_program(index: int) -> str:
    """DERProgram."""
    return f"{DER_PROGRAMS}/{index}"


def der_controls(index: int) -> str:
    """DERControlList of a programme."""
    return f"{DER_PROGRAMS}/{index}/derc"


def default_control(index: int) -> str:
    """DefaultDERControl of a programme."""
    return f"{DER_PROGRAMS}/{index}/dderc"


def curves(index: int) -> str:
    """DERCurveList of a programme."""
    return f"{DER_PROGRAMS}/{index}/dc"


def curve(index: int, mrid: str) -> str:
    """DERCurve of a programme."""
    return f"{DER_PROGRAMS}/{index}/dc/{mrid}"


def dr_program(index: int) -> str:
    """DemandResponseProgram."""
    return f"{DR_PROGRAMS}/{index}"


def dr_controls(index: int) -> str:
    """EndDeviceControlList of a programme."""
    return f"{DR_PROGRAMS}/{index}/edc"


def point(number: int) -> str:
    """MirrorUsagePoint."""
    return f"{POINTS}/{number}"


def tariff(number: int) -> str:
    """TariffProfile."""
    return f"{TARIFFS}/{number}"


def components(number: int) -> str:
    """RateComponentList of a tariff."""
    return f"{TARIFFS}/{number}/rc"


def component(number: int, part: int) -> str:
    """RateComponent of a tariff."""
    return f"{TARIFFS}/{number}/rc/{part}"


def requests(home: int) -> str:
    """FlowReservationRequestList of a home."""
    return f"{DEVICES}/{home}/frq"


def grants(home: int) -> str:
    """FlowReservationResponseList of a home."""
    return f"{DEVICES}/{home}/frp"


def sheds(home: int) -> str:
    """LoadShedAvailabilityList of a home."""
    return f"{DEVICES}/{home}/lsl"
