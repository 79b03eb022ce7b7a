"""`hems agent status|inventory|measure|accept-boot`: the running hub asked about its agent."""

import argparse
from http import HTTPStatus
from typing import Final
from urllib.error import HTTPError

from pydantic import BaseModel, ConfigDict, ValidationError

from hems.commands.fetch import NoAnswerError, fetch
from hems.commands.output import fail
from hems.commands.way_in import credentials, hint


class _Told(BaseModel):
    model_config = ConfigDict(extra="ignore")


class _Agent(_Told):
    watched: bool
    checked: bool
    publisher: str
    version: str
    number: int
    files: list[str]
    troubles: list[str]
    excluded: bool


class _Part(_Told):
    id: str
    name: str
    maker: str
    model: str
    serial: str
    firmware: str


class _Inventory(_Told):
    software: str
    options: list[str]
    maker: str
    model: str
    hardware: str
    serial: str
    system: str
    kernel: str
    python: str
    openssl: str
    devices: list[_Part]


_ASKED: Final = {
    "status": ("GET", "/api/agent"),
    "inventory": ("GET", "/api/agent/inventory"),
    "measure": ("POST", "/api/agent/measure"),
    "accept-boot": ("POST", "/api/agent/boot"),
}


def run(options: argparse.Namespace) -> int:
    """Run the command; returns the exit code."""
    url = options.url.rstrip("/")
    method, path = _ASKED[options.what]
    headers = {**credentials(url), "Origin": url, "Sec-Fetch-Site": "same-origin"}
    try:
        answer = fetch(f"{url}{path}", method=method, headers=headers)
        if method == "POST":
            return 0
        if options.json:
            print(answer.decode())
            return 0
        return _tell_agent(answer) if options.what == "status" else _tell_inventory(answer)
    except NoAnswerError as error:
        return fail(f"no home answers at {url}: {error}")
    except HTTPError as error:
        with error:
            said = f"{url} answers {error.code} {HTTPStatus(error.code).phrase}"
            return fail(said + hint(error.code))
    except ValidationError:
        return fail(f"{url} answers, but not as a home's page does")


def _tell_agent(answer: bytes) -> int:
    found = _Agent.model_validate_json(answer)
    if not found.watched:
        print("this hub has no software agent ([agent] names no manifest)")
        return 0
    if found.publisher:
        named = f"{found.version}, number {found.number}, signed by {found.publisher}"
        print(f"software  {named}{'' if found.checked else '; not all files are read yet'}")
    for trouble in found.troubles:
        print(f"trouble   {trouble}")
    for file in found.files:
        print(f"file      {file}")
    if found.excluded:
        print("          the home takes part in no programme until this is put right")
    elif not found.troubles:
        print("          all is as it should be")
    return 0


def _tell_inventory(answer: bytes) -> int:
    found = _Inventory.model_validate_json(answer)
    machine = " ".join(each for each in (found.maker, found.model, found.hardware) if each)
    print(f"software  hems {found.software}")
    print(f"options   {', '.join(found.options) or 'none'}")
    print(f"machine   {machine or '?'}{f', serial number {found.serial}' if found.serial else ''}")
    print(f"system    {found.system}, Linux {found.kernel}")
    print(f"with      Python {found.python}, {found.openssl}")
    for device in found.devices:
        made = " ".join(each for each in (device.maker, device.model) if each)
        print(f"{device.name:<20} {made or '?'}  firmware {device.firmware or '?'}")
    return 0
