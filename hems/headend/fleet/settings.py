"""Settings of the fleet: the table `[fleet]` of the head-end."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from hems.headend.fleet.policy import CHECKS, IdentityPolicy

_DAY_S = 86_400.0
_HOUR_S = 3_600.0
_Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9\-]{0,31}$")]
_Make = Annotated[str, Field(pattern=r"^[0-2](\.(0|[1-9][0-9]{0,18})){1,30}$")]


class FleetSettings(BaseModel):
    """What identities must show, whichever profile their hubs speak."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    strict: bool = False
    """Whether homes that are no hub of the fleet are refused; else they are served as ever."""
    makes: tuple[_Make, ...] = ()
    """hwTypes that may be enrolled; none for any."""
    checks: Annotated[tuple[_Name, ...], Field(min_length=1, max_length=32)] = CHECKS
    """What a commissioning test must have tested at least."""
    test_valid_days: Annotated[float, Field(gt=0, le=3650)] = 90.0
    """How long a passed test counts until the hub is commissioned by it."""
    test_window_hours: Annotated[float, Field(gt=0, le=720)] = 24.0
    """How long an enrolled hub may be served for its test, at most."""
    licence_needed: bool = True
    """Whether a hub may operate only with a licence that holds."""

    def policy(self) -> IdentityPolicy:
        """Return them as the rules take them."""
        return IdentityPolicy(
            frozenset(self.makes),
            self.checks,
            self.test_valid_days * _DAY_S,
            self.licence_needed,
            self.test_window_hours * _HOUR_S,
        )
