"""What differs on the wire between the editions and profiles of IEEE 2030.5."""

from enum import StrEnum
from typing import Final

from hems.sep2.lifecycle import Edition


class Dialect(StrEnum):
    """An edition of IEEE 2030.5, with or without the extensions of a profile."""

    V2018 = "2018"
    CSIP_AUS = "csip-aus"
    V2023 = "2023"

    @property
    def edition(self) -> Edition:
        """The edition that the event rules go by."""
        return Edition.V2023 if self is Dialect.V2023 else Edition.V2018

    @property
    def schema_ver(self) -> str | None:
        """The schemaVer of documents; None where the schema has no such attribute."""
        return "2.2" if self is Dialect.V2023 else None

    @property
    def level(self) -> str:
        """The schema level of subscriptions: + with extensions, - without."""
        return _LEVELS[self]


_LEVELS: Final = {Dialect.V2018: "-S1", Dialect.CSIP_AUS: "+S1", Dialect.V2023: "-S2"}
