"""What messages may be about: each noun's record, namespace and verbs, in one table."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from hems.headend.cim.der import (
    DERGroupDispatches,
    DERGroupQueries,
    DERGroups,
    DERGroupStatuses,
    DERGroupStatusQueries,
)
from hems.headend.cim.envelope import DONE, Verb
from hems.headend.cim.metering import (
    EndDeviceControls,
    EndDeviceEvents,
    GetMeterReadings,
    MeterReadings,
)

_PART_5: Final = "http://iec.ch/TC57/2017/"
_PART_9: Final = "http://iec.ch/TC57/2011/"


class Noun(StrEnum):
    """What a message is about."""

    GROUPS = "DERGroups"
    DISPATCHES = "DERGroupDispatches"
    STATUSES = "DERGroupStatuses"
    GROUP_QUERIES = "DERGroupQueries"
    STATUS_QUERIES = "DERGroupStatusQueries"
    READINGS = "MeterReadings"
    CONTROLS = "EndDeviceControls"
    EVENTS = "EndDeviceEvents"


class Right(StrEnum):
    """What somebody may do."""

    QUERY = "query"
    """Ask, and be told."""
    GROUPS = "groups"
    """Make and change groups."""
    DISPATCH = "dispatch"
    """Give orders to homes."""


@dataclass(frozen=True, slots=True)
class Form:
    """A record that can be a payload.

    Attributes:
        record: Its class, whose name is the root element's.
        base: What its namespace begins with when it is written.
    """

    record: type[Any]
    base: str

    @property
    def name(self) -> str:
        """Name of the root element."""
        return self.record.__name__

    @property
    def namespace(self) -> str:
        """The namespace that it is written in."""
        return f"{self.base}{self.name}#"

    def takes(self, namespace: str | None) -> bool:
        """Whether a namespace is this record's, in whatever year's edition of the profile."""
        return (
            re.fullmatch(rf"http://iec\.ch/TC57/\d{{4}}/{self.name}#", namespace or "") is not None
        )


@dataclass(frozen=True, slots=True)
class Use:
    """What may be done with a noun.

    Attributes:
        form: Its record.
        verbs: What may be asked, and which right that needs.
        query: What may stand in the request part of a `get`.
    """

    form: Form
    verbs: Mapping[Verb, Right]
    query: Form | None = None


_QUERY: Final[Mapping[Verb, Right]] = {Verb.GET: Right.QUERY}
_ORDERS: Final[Mapping[Verb, Right]] = {
    Verb.CREATE: Right.DISPATCH,
    Verb.CANCEL: Right.DISPATCH,
    Verb.DELETE: Right.DISPATCH,
}

USES: Final[Mapping[Noun, Use]] = {
    Noun.GROUPS: Use(
        Form(DERGroups, _PART_5),
        {
            **_QUERY,
            **dict.fromkeys((Verb.CREATE, Verb.CHANGE, Verb.DELETE), Right.GROUPS),
            **dict.fromkeys((Verb.CREATED, Verb.CHANGED, Verb.DELETED), Right.GROUPS),
        },
        Form(DERGroupQueries, _PART_5),
    ),
    Noun.GROUP_QUERIES: Use(Form(DERGroupQueries, _PART_5), _QUERY),
    Noun.DISPATCHES: Use(Form(DERGroupDispatches, _PART_5), _ORDERS),
    Noun.STATUSES: Use(
        Form(DERGroupStatuses, _PART_5), _QUERY, Form(DERGroupStatusQueries, _PART_5)
    ),
    Noun.STATUS_QUERIES: Use(Form(DERGroupStatusQueries, _PART_5), _QUERY),
    Noun.READINGS: Use(Form(MeterReadings, _PART_9), _QUERY, Form(GetMeterReadings, _PART_9)),
    Noun.CONTROLS: Use(Form(EndDeviceControls, _PART_9), _ORDERS),
    Noun.EVENTS: Use(Form(EndDeviceEvents, _PART_9), _QUERY),
}

FORMS: Final[Mapping[str, Form]] = {
    form.name: form for use in USES.values() for form in (use.form, use.query) if form is not None
}
"""All records that may stand in a payload or a request, by their root elements."""

PUBLISHED: Final = frozenset(
    {Noun.GROUPS, Noun.DISPATCHES, Noun.READINGS, Noun.CONTROLS, Noun.EVENTS}
)
"""What others can be told of by themselves."""


def asks(verb: Verb) -> Verb:
    """Return what a verb asks for, or says to have been done."""
    return DONE.get(verb, verb)
