"""When another version of the hub's own software may take the place of the one that runs."""

from datetime import time
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator

from hems.settings.section import Section, hours_of_day


def _hours(text: str) -> str:
    hours_of_day(text)
    return text


class Consent(StrEnum):
    """Who decides that a version is installed."""

    APPROVAL = "approval"
    AUTOMATIC = "automatic"


class UpdatesSection(Section):
    """Updates of the hub's own software, which `[firmware]` finds."""

    install: Consent = Consent.APPROVAL
    """"approval": the owner is told, and says so; "automatic": what both have signed is installed
    by itself."""
    window: Annotated[str, AfterValidator(_hours)] = "02:00-05:00"
    """When, each day, by the home's clock, the hub may be started anew with it; never in an event,
    and not shortly before one. The same time twice: always."""

    @property
    def hours(self) -> tuple[time, time]:
        """The window: from when, and until when."""
        return hours_of_day(self.window)
