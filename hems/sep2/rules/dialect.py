"""What differs between the editions and profiles of IEEE 2030.5: one row of a table for each."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from hems.sep2.rules.lifecycle import BASE_CODES, Code, Edition, Profile


class Dialect(StrEnum):
    """An edition of IEEE 2030.5, with or without the rules and extensions of a profile."""

    V2018 = "2018"
    CSIP = "csip"
    """Common Smart Inverter Profile (SunSpec), on the 2018 edition."""
    CSIP_AUS = "csip-aus"
    """The Australian one, with its extensions of the schema."""
    V2023 = "2023"

    @property
    def edition(self) -> Edition:
        """The edition that the event rules go by."""
        return _TABLE[self].edition

    @property
    def schema_ver(self) -> str | None:
        """The schemaVer of documents; None where the schema has no such attribute."""
        return _TABLE[self].schema_ver

    @property
    def level(self) -> str:
        """The schema level of subscriptions: + with extensions, - without."""
        return _TABLE[self].level

    def profile(
        self,
        modes: frozenset[str] | None = None,
        *,
        basic: bool = False,
        device_category: int | None = None,
    ) -> Profile:
        """Return the rules by which events are run and answered.

        Args:
            modes: Modes that the home carries out; None for any.
            basic: Whether this utility takes the `BASIC_CODES` only, as some do.
            device_category: Bits of `DeviceCategoryType` that the device is; None for a home's.
        """
        row = _TABLE[self]
        category = Profile().device_category if device_category is None else device_category
        return Profile(
            edition=row.edition,
            codes=row.codes & BASIC_CODES if basic else row.codes,
            modes=modes,
            device_category=category,
            keeps_schedule=row.keeps_schedule,
        )


BASIC_CODES: Final = frozenset(
    {Code.RECEIVED, Code.STARTED, Code.COMPLETED, Code.CANCELLED, Code.SUPERSEDED}
)
"""All that some network operators take. A refusal is not among them: the owner is told of it."""

_NEVER_IN_2018: Final = frozenset({Code.NOT_SUPPORTED, Code.RESUMED})
_BY_WHOM: Final = frozenset({Code.SUPERSEDED_BY_SERVER, Code.SUPERSEDED_BY_PROGRAM})


@dataclass(frozen=True, slots=True)
class _Row:
    """What a dialect says.

    Attributes:
        edition: Edition of IEEE 2030.5; refusals of a mode are 252 in 2018 and 251 in 2023.
        codes: Response codes that are used. CSIP's conformance tests want 7 for an event of
            another programme too, where the standard by itself has 14.
        level: See `Dialect.level`.
        schema_ver: See `Dialect.schema_ver`.
        keeps_schedule: See `Profile.keeps_schedule`. CSIP-AUS clients follow the controls they
            have to the end of the last one and only then their default control.
    """

    edition: Edition
    codes: frozenset[Code]
    level: str
    schema_ver: str | None = None
    keeps_schedule: bool = False


_TABLE: Final[Mapping[Dialect, _Row]] = {
    Dialect.V2018: _Row(Edition.V2018, (BASE_CODES | _BY_WHOM) - _NEVER_IN_2018, "-S1"),
    Dialect.CSIP: _Row(Edition.V2018, BASE_CODES - _NEVER_IN_2018, "-S1"),
    Dialect.CSIP_AUS: _Row(Edition.V2018, BASE_CODES - _NEVER_IN_2018, "+S1", keeps_schedule=True),
    Dialect.V2023: _Row(Edition.V2023, frozenset(Code), "-S2", schema_ver="2.2"),
}
