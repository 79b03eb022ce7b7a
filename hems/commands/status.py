"""`hems status`: how the running home stands, in a few lines."""

import urllib.error
from importlib.metadata import version
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from hems.commands.fetch import NoAnswerError, fetch
from hems.commands.output import fail
from hems.commands.way_in import credentials, hint, unanswered

_LONG_S: Final = 300.0


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore")


class _Device(_Part):
    name: str
    power_w: float | None
    soc: float | None
    quality: str
    error: str | None


class _Event(_Part):
    title: str
    program: str
    state: str
    opted_out: bool


class _Utility(_Part):
    state: str
    detail: str
    last_contact: float | None = None


class _Connection(_Part):
    name: str
    clock_error_s: float | None


class _Security(_Part):
    connections: list[_Connection]
    store: str


class _Network(_Part):
    served: bool = False
    page: str = ""
    spoken: str = ""
    notes: list[str] = []


class _Time(_Part):
    quality: int
    words: str
    notes: list[str]


class _Home(_Part):
    at: float
    net_w: float | None
    devices: list[_Device]
    events: list[_Event]
    utility: _Utility
    alarms: list[str]


class _Step(_Part):
    missing: str


class _Setup(_Part):
    finished: bool
    steps: list[_Step]


def show(url: str) -> int:
    """Print the state of the home whose page is at `url`; returns the exit code."""
    try:
        home = _Home.model_validate_json(
            fetch(f"{url.rstrip('/')}/api/home", headers=credentials(url))
        )
    except NoAnswerError as error:
        return fail(unanswered(url, error))
    except urllib.error.HTTPError as error:
        with error:
            said = f"{url} answers {error.code} {error.reason}, not as a home's page does"
            return fail(said + hint(error.code))
    except ValidationError:
        return fail(f"{url} answers, but not as a home's page does")
    print(f"net       {_watts(home.net_w)}")
    for device in home.devices:
        charge = "" if device.soc is None else f"  {device.soc:.0%}"
        trouble = "" if device.error is None else f"  {device.error}"
        print(f"{device.name:<20} {_watts(device.power_w)}{charge}  {device.quality}{trouble}")
    for event in home.events:
        left = " (opted out)" if event.opted_out else ""
        print(f"event     {event.state}: {event.program}: {event.title}{left}")
    print(f"utility   {home.utility.state}: {home.utility.detail}{_heard(home)}")
    for line in (*_time(url), *_security(url), *_network(url)):
        print(line)
    for alarm in home.alarms:
        print(f"alarm     {alarm}")
    for missing in _missing(url):
        print(f"set up    {missing}")
    return 0


def _time(url: str) -> list[str]:
    """Return what time the hub believes it is, and how well it knows; nothing of an older one."""
    try:
        answer = fetch(f"{url.rstrip('/')}/api/time", headers=credentials(url))
        told = _Time.model_validate_json(answer)
    except (NoAnswerError, ValidationError):
        return []
    except urllib.error.HTTPError as error:
        error.close()
        return []
    lines = [f"time      {told.words} (quality {told.quality})"]
    return [*lines, *(f"time      {note}" for note in told.notes)]


def _heard(home: _Home) -> str:
    """Return how long ago the utility answered, as of the home's own clock."""
    at = home.utility.last_contact
    if at is None:
        return ""
    ago_s = max(home.at - at, 0.0)
    return (
        f"; last answer {ago_s:.0f} s ago" if ago_s < _LONG_S else f"; silent {ago_s / 60:.0f} min"
    )


def _security(url: str) -> list[str]:
    """Return how the clock stands beside the utilities', and the store; to who may know of it."""
    try:
        answer = fetch(f"{url.rstrip('/')}/api/security", headers=credentials(url))
        told = _Security.model_validate_json(answer)
    except urllib.error.HTTPError as error:
        error.close()
        return []
    except (NoAnswerError, ValidationError):
        return []  # it has ended since it was asked first, or is an older hub
    clocks = [
        f"clock     {abs(each.clock_error_s):.1f} s "
        f"{'ahead of' if each.clock_error_s > 0 else 'behind'} {each.name}"
        for each in told.connections
        if each.clock_error_s is not None
    ]
    return [*clocks, f"store     {told.store}", f"software  hems {version('hems')} (this command)"]


def _network(url: str) -> list[str]:
    """Return how the page is reached from the home's network, where it is."""
    try:
        told = _Network.model_validate_json(fetch(f"{url.rstrip('/')}/api/lan"))
    except urllib.error.HTTPError as error:
        error.close()
        return []
    except (NoAnswerError, ValidationError):
        return []  # it has ended since it was asked first, or is no hub
    if not told.served:
        return []
    lines = [f"page      {told.page}, certificate: {told.spoken}"]
    return [*lines, *(f"page      {note}" for note in told.notes)]


def _watts(power_w: float | None) -> str:
    return "       ?" if power_w is None else f"{power_w:7.0f} W"


def _missing(url: str) -> list[str]:
    """Return what is missing of a home whose set-up is not over; nothing of an older hub's."""
    try:
        answer = fetch(f"{url.rstrip('/')}/api/setup", headers=credentials(url))
        setup = _Setup.model_validate_json(answer)
    except (NoAnswerError, urllib.error.HTTPError, ValidationError):
        return []
    return [] if setup.finished else [step.missing for step in setup.steps if step.missing]
