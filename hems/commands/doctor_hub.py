"""What the running hub says of itself, for `hems doctor`."""

import json
import urllib.error
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from hems.commands.fetch import NoAnswerError, fetch
from hems.commands.presence import page_of
from hems.commands.way_in import credentials, hint
from hems.doctor.facts import HubFacts
from hems.settings.config import Config

_WITHIN_S: Final = 5.0
M = TypeVar("M", bound=BaseModel)


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Device(_Part):
    """A device, as the page shows it."""

    id: str
    quality: str
    age_s: float | None
    error: str | None
    risk: str = ""


class Utility(_Part):
    """A utility, as the page shows it."""

    name: str
    state: str
    detail: str
    last_contact: float | None


class _Home(_Part):
    devices: tuple[Device, ...]
    utilities: tuple[Utility, ...]
    alarms: tuple[str, ...]


class _Connection(_Part):
    name: str
    clock_error_s: float | None


class _Security(_Part):
    connections: tuple[_Connection, ...]


class _Stand(_Part):
    id: str
    standing: str
    why: str


class _Trust(_Part):
    devices: tuple[_Stand, ...]


class _State(_Part):
    status: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What the hub says.

    Attributes:
        hub: Of itself.
        devices: Of its devices, by id; empty where none runs, or it does not answer.
        utilities: Of its utilities, by name; likewise.
        apart_s: Each utility's time less the hub's, by name, where it is known.
        standing: How far devices are trusted, and why not, by id.
    """

    hub: HubFacts
    devices: Mapping[str, Device] = field(default_factory=dict)
    utilities: Mapping[str, Utility] = field(default_factory=dict)
    apart_s: Mapping[str, float] = field(default_factory=dict)
    standing: Mapping[str, tuple[str, str]] = field(default_factory=dict)


def seen(config: Config) -> Seen:
    """Ask the hub that runs a home, if one does; blocks."""
    page = page_of(config.home.devices)
    if page is None:
        return Seen(HubFacts(None))
    try:
        health = _health(page)
        home = _ask(config, page, "/api/home", _Home)
        trust = _ask(config, page, "/api/trust", _Trust)
        security = _ask(config, page, "/api/security", _Security)
    except _SilentError as error:
        return Seen(HubFacts(page, str(error)))
    return Seen(
        HubFacts(page, "", health, home.alarms),
        {each.id: each for each in home.devices},
        {each.name: each for each in home.utilities},
        {c.name: -c.clock_error_s for c in security.connections if c.clock_error_s is not None},
        {each.id: (each.standing, each.why) for each in trust.devices},
    )


class _SilentError(Exception):
    """The hub does not answer as it should; `str()` says how."""


def _health(page: str) -> str:
    """Return what the hub says of its control cycle."""
    try:
        return _State.model_validate_json(fetch(f"{page}/health/ready", within_s=_WITHIN_S)).status
    except urllib.error.HTTPError as error:
        with error:
            try:
                return _State.model_validate(json.loads(error.read())).status
            except ValueError as nonsense:  # ValidationError is one
                raise _SilentError(f"{error.code} {error.reason}") from nonsense
    except NoAnswerError as error:
        raise _SilentError(str(error)) from error
    except ValidationError as error:
        raise _SilentError("it answers, but not as a home's page does") from error


def _ask(config: Config, page: str, path: str, model: type[M]) -> M:
    headers = {**credentials(page, config.home.devices), "Accept-Language": "en"}
    try:
        return model.model_validate_json(
            fetch(f"{page}{path}", headers=headers, within_s=_WITHIN_S)
        )
    except urllib.error.HTTPError as error:
        with error:
            raise _SilentError(f"{error.code} {error.reason}{hint(error.code)}") from error
    except NoAnswerError as error:
        raise _SilentError(str(error)) from error
    except ValidationError as error:
        raise _SilentError("it answers, but not as a home's page does") from error
