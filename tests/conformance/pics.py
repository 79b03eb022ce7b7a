"""The PICS: what this implementation says that it does, read from the code that does it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Final

from certs.pki import Pki
from certs.tls import client_context
from hems.emg.modes import modes as carried_out
from hems.sep2 import resources as res
from hems.sep2.book.controls import mode_bits
from hems.sep2.resources.layout import layout
from hems.sep2.resources.wire import SEP_NS, Record
from hems.sep2.rules.dialect import Dialect
from hems.sep2.rules.lifecycle import Code
from hems.sep2.transport.discovery import SERVICE_TYPE
from hems.sep2.xml import MAX_BODY, MEDIA_TYPE
from tests.conformance.scenario import Profile
from tests.interop.lone import DEVICES

FUNCTION_SETS: Final[Mapping[str, Sequence[type[Record]]]] = {
    "Device capability": (res.DeviceCapability,),
    "Time": (res.Time,),
    "End device": (res.EndDeviceList, res.EndDevice, res.Registration),
    "Self device and information": (res.DeviceInformation, res.DeviceStatus, res.PowerStatus),
    "Function set assignments": (res.FunctionSetAssignmentsList,),
    "Subscription and notification": (res.Subscription, res.SubscriptionList, res.Notification),
    "Response": (res.Response, res.DERControlResponse, res.DrResponse, res.TextResponse),
    "Log event": (res.LogEvent,),
    "Configuration": (res.Configuration,),
    "DER": (
        *(res.DERProgramList, res.DERControlList, res.DefaultDERControl, res.DERCurveList),
        *(res.DERList, res.DERCapability, res.DERSettings, res.DERStatus, res.DERAvailability),
    ),
    "Demand response and load control": (
        *(res.DemandResponseProgramList, res.EndDeviceControlList, res.LoadShedAvailability),
    ),
    "Metering mirror": (res.MirrorUsagePoint, res.MirrorMeterReading),
    "Pricing": (
        *(res.TariffProfileList, res.RateComponentList, res.TimeTariffIntervalList),
        res.ConsumptionTariffIntervalList,
    ),
    "Messaging": (res.MessagingProgramList, res.TextMessageList),
    "Billing (read)": (res.BillingPeriodList, res.BillingReadingSetList),
    "Flow reservation": (res.FlowReservationRequest, res.FlowReservationResponseList),
    "File download": (res.FileList, res.File),
}


@dataclass(frozen=True, slots=True)
class Statement:
    """A PICS.

    Attributes:
        profile: For which profile it is made.
        implementation: Name and version.
        function_sets: The resources of each that the client reads or writes.
        modes: Every control mode of the profile, and whether it is carried out; what is not is
            refused.
        responses: The response codes that the client may post.
        transport: How it talks.
    """

    profile: str
    implementation: str
    function_sets: Mapping[str, Sequence[str]]
    modes: Mapping[str, bool]
    responses: Mapping[int, str]
    transport: Mapping[str, str]


def statement(profile: Profile, pki: Pki) -> Statement:
    """Return the PICS for a profile.

    Args:
        profile: The profile.
        pki: One with a hub in it: what TLS offers is asked of a context made as the client's.
    """
    dialect = Dialect(profile.edition)
    rules = dialect.profile(carried_out(DEVICES))
    return Statement(
        profile.value,
        f"hems {version('hems')}",
        {name: [kind.__name__ for kind in kinds] for name, kinds in FUNCTION_SETS.items()},
        {mode: rules.carries_out(mode) for mode in _modes(profile)},
        {int(code): Code(code).name.lower().replace("_", " ") for code in sorted(rules.codes)},
        _transport(dialect, pki),
    )


def _modes(profile: Profile) -> Sequence[str]:
    """Return the control modes that a profile's schema knows."""
    slots = (slot for slot in layout(res.DERControlBase).elements if slot.name.startswith("opMod"))
    new = profile is Profile.Y2023
    return [
        slot.name
        for slot in slots
        if (profile is Profile.CSIP_AUS or slot.namespace == SEP_NS)
        and (new or not mode_bits(frozenset({slot.name}))[1])  # the second word came in 2023
    ]


def _transport(dialect: Dialect, pki: Pki) -> Mapping[str, str]:
    context = client_context(pki.identity("hub"), pki.trust)
    suites = [str(each["name"]) for each in context.get_ciphers()]
    return {
        "least TLS version": context.minimum_version.name,
        "cipher suites": ", ".join(suites),
        "client certificate": "always shown, P-256 ECDSA",
        "media type": MEDIA_TYPE,
        "greatest body": f"{MAX_BODY} octets",
        "discovery": f"configured URL, or DNS-SD {SERVICE_TYPE}",
        "schema level": dialect.level,
        "schemaVer in bodies": dialect.schema_ver or "none",
    }


def render(made: Statement) -> str:
    """Return a PICS as Markdown."""
    lines = [
        f"# PICS for {made.profile}",
        "",
        (
            f"Implementation: {made.implementation}. Written from the code by"
            " `python -m tests.conformance`."
        ),
        "",
        "## Function sets",
        "",
        "| function set | resources |",
        "|---|---|",
        *(f"| {name} | {', '.join(kinds)} |" for name, kinds in made.function_sets.items()),
        "",
        "## Control modes",
        "",
        (
            "For a home with a meter, PV, storage and switched loads. What is not carried out is"
            " refused, logged and shown."
        ),
        "",
        "| mode | carried out |",
        "|---|---|",
        *(f"| {name} | {'yes' if able else 'no'} |" for name, able in made.modes.items()),
        "",
        "## Response codes",
        "",
        "| code | meaning |",
        "|---|---|",
        *(f"| {code} | {text} |" for code, text in made.responses.items()),
        "",
        "## Transport",
        "",
        "| | |",
        "|---|---|",
        *(f"| {name} | {text} |" for name, text in made.transport.items()),
    ]
    return "\n".join(lines) + "\n"


def as_json(made: Statement) -> str:
    """Return a PICS as JSON."""
    return (
        json.dumps(
            {
                "profile": made.profile,
                "implementation": made.implementation,
                "functionSets": made.function_sets,
                "modes": made.modes,
                "responses": made.responses,
                "transport": made.transport,
            },
            indent=1,
        )
        + "\n"
    )
