"""`hems device trust`, `approve`, `block` and `allow`: the running hub's trusted devices."""

from pathlib import Path
from typing import Final

from hems.commands.hub import Hub, HubError, running
from hems.commands.output import fail
from hems.emg.trust.standing import Cause, TrustStanding
from hems.settings.config import load
from hems.settings.toml_file import ConfigError
from web.trust_api import StandAnswer

_NO_HUB: Final = "no hub runs this home; the list of trusted devices is the running hub's"
_AS_IT_WAS: Final = "asked on the command line"


def listing(path: Path, url: str | None, *, as_json: bool) -> int:
    """Print how each device stands."""
    try:
        hub = _hub(path, url)
        found = hub.trust()
    except (ConfigError, HubError) as error:
        return fail(str(error))
    if as_json:
        print(found.model_dump_json(indent=2))
        return 0
    for each in found.devices:
        print(_line(each))
    return 0


def judge(path: Path, url: str | None, deed: str, device: str, why: str) -> int:
    """Approve, block or allow a device; returns the exit code."""
    try:
        hub = _hub(path, url)
        _judge(hub, deed, device, why)
        stands = next(each for each in hub.trust().devices if each.id == device)
    except (ConfigError, HubError) as error:
        return fail(str(error))
    print(_line(stands))
    return 0


def commission(hub: Hub, device: str) -> None:
    """Approve a device that was tried out and is kept, where the hub still waits for that.

    Raises:
        HubError: It cannot be asked, or refuses.
    """
    if _standing(hub, device) is TrustStanding.NEW:
        hub.judge(device, "approve", {"why": "added on the command line"})


def _hub(path: Path, url: str | None) -> Hub:
    hub = running(load(path), url)
    if hub is None:
        raise HubError(_NO_HUB)
    return hub


def _judge(hub: Hub, deed: str, device: str, why: str) -> None:
    """Ask the hub for what a deed comes to: a quarantine is lifted, whatever the word for it."""
    if deed != "block" and _standing(hub, device) is TrustStanding.QUARANTINED:
        body: dict[str, str | bool] = {"why": why or _AS_IT_WAS, "accept": deed == "approve"}
        hub.judge(device, "lift", body)
        return
    hub.judge(device, deed, {"why": why})


def _standing(hub: Hub, device: str) -> TrustStanding | None:
    found = [each.standing for each in hub.trust().devices if each.id == device]
    return found[0] if found else None


def _line(device: StandAnswer) -> str:
    shown = device.shown or device.trusted
    who = "" if shown is None else " ".join(filter(None, (shown.manufacturer, shown.model)))
    pin = "" if shown is None else shown.fingerprint[:23]
    why = f"  {device.why}" if device.why else ""
    told = " (key)" if shown is not None and shown.by_key else ""
    other = "  shows now:" if Cause.IDENTITY in device.doubts else ""
    return f"{device.id:<16} {device.standing:<12}{other} {who:<28} {pin}{told}{why}"
