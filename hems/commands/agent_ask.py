"""`hems agent status|inventory|measure|accept-boot`: the running hub asked about its agent."""

import argparse
from typing import Final

from hems.commands.output import fail
from hems.commands.page import Page, PageError, Told


class _Agent(Told):
    watched: bool
    checked: bool
    publisher: str
    version: str
    number: int
    files: list[str]
    troubles: list[str]
    excluded: bool


class _Part(Told):
    id: str
    name: str
    maker: str
    model: str
    serial: str
    firmware: str


class _Inventory(Told):
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


_TOLD: Final = {"status": "/api/agent", "inventory": "/api/agent/inventory"}
_DONE: Final = {"measure": "/api/agent/measure", "accept-boot": "/api/agent/boot"}


def run(options: argparse.Namespace) -> int:
    """Run the command; returns the exit code."""
    page, what = Page(options.url), options.what
    try:
        if what in _DONE:
            page.post(_DONE[what], {})
        elif options.json:
            print(page.text(_TOLD[what]).decode())
        elif what == "status":
            _tell_agent(page.get(_TOLD[what], _Agent))
        else:
            _tell_inventory(page.get(_TOLD[what], _Inventory))
    except PageError as error:
        return fail(str(error))
    return 0


def _tell_agent(found: _Agent) -> None:
    if not found.watched:
        print("this hub has no software agent ([agent] names no manifest)")
        return
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


def _tell_inventory(found: _Inventory) -> None:
    machine = " ".join(each for each in (found.maker, found.model, found.hardware) if each)
    print(f"software  hems {found.software}")
    print(f"options   {', '.join(found.options) or 'none'}")
    print(f"machine   {machine or '?'}{f', serial number {found.serial}' if found.serial else ''}")
    print(f"system    {found.system}, Linux {found.kernel}")
    print(f"with      Python {found.python}, {found.openssl}")
    for device in found.devices:
        made = " ".join(each for each in (device.maker, device.model) if each)
        print(f"{device.name:<20} {made or '?'}  firmware {device.firmware or '?'}")
