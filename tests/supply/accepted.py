"""What was looked at and left as it is: `docs/security/accepted.toml`, each with its reason."""

import tomllib
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from tests.supply.parts import ROOT

FILE: Final = ROOT / "docs" / "security" / "accepted.toml"

LONGEST_DAYS: Final = 90

Reason = Annotated[str, Field(min_length=20)]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AcceptedAdvisory(_Entry):
    """A known vulnerability that does not concern the hub, or cannot be mended yet."""

    id: str
    part: str
    """Ecosystem and name: "pypi/aiohttp"."""
    why: Reason
    until: date
    """The day after which it counts again; nobody leaves one for good."""


class AcceptedSource(_Entry):
    """A finding of bandit that is none; where ruff finds the same, the line itself says why."""

    test: Annotated[str, Field(pattern=r"^B[0-9]{3}$")]
    file: str
    why: Reason


class Accepted(_Entry):
    """All of it."""

    advisory: tuple[AcceptedAdvisory, ...] = ()
    source: tuple[AcceptedSource, ...] = ()

    def too_long(self, today: date) -> list[str]:
        """Return which vulnerabilities are accepted for longer than the patch policy allows."""
        last = today + timedelta(days=LONGEST_DAYS)
        return [
            f"{each.id} of {each.part} is accepted until {each.until.isoformat()}: at most "
            f"{LONGEST_DAYS} days ahead"
            for each in self.advisory
            if each.until > last
        ]

    def holds(self, part: str, ids: frozenset[str], today: date) -> bool:
        """Return whether a vulnerability of a part, known by these names, is accepted today."""
        return any(
            each.part == part and each.id in ids and today <= each.until for each in self.advisory
        )


def read(file: Path = FILE) -> Accepted:
    """Return what is accepted.

    Raises:
        ValueError: The file says something else; the message names the place.
    """
    return Accepted.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
