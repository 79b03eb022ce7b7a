"""`hems headend doctor`: what is wrong with a head-end's installation, and what to do about it."""

import argparse
import asyncio
import time
import urllib.error
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ValidationError

from certs.keys.store import KeyStore
from hems.commands.doctor import of_machine, tell
from hems.commands.doctor_database import database
from hems.commands.fetch import NoAnswerError, fetch
from hems.commands.operator import Operator, OperatorError, Told, ask
from hems.doctor.facts import Listened, Worker
from hems.doctor.finding import Finding, ok, trouble
from hems.doctor.probes import files, machine
from hems.doctor.probes.files import Pem
from hems.doctor.rules import certificates, head_end
from hems.doctor.rules import machine as machine_rules
from hems.headend.errors import SettingsError
from hems.headend.ready import OPERATOR_FILE
from hems.headend.settings import HeadEndSettings, load_settings

_WITHIN_S: Final = 5.0


class _State(BaseModel):
    status: str


class _Health(Told):
    workers: int
    signals: dict[str, int]


class _Published(Told):
    expires: float


class _Bulletin(Told):
    published: _Published | None


def run(options: argparse.Namespace) -> int:
    """Look, print what was found, and return how grave the gravest of it is."""
    now = time.time()
    try:
        settings = load_settings(options.config)
    except SettingsError as error:
        unread = [
            trouble("settings", str(error), do="mend it; docs/headend.md lists every setting")
        ]
        return tell([*unread, *of_machine(now)], as_json_=options.json)
    findings = asyncio.run(_looked(options.config, settings, now))
    return tell(findings, as_json_=options.json)


async def _looked(path: Path, settings: HeadEndSettings, now: float) -> list[Finding]:
    worker = await asyncio.to_thread(_worker, settings)
    findings = [ok("settings", "can be read", str(path)), *head_end.of_worker(worker, now)]
    findings += of_machine(now)
    where = settings.database
    folder = where.parent if isinstance(where, Path) else settings.token_file.parent
    findings += machine_rules.of_disk(machine.disk(folder))
    findings.append(head_end.of_database(await database(where)))
    pems = _pems(settings)
    found = await asyncio.to_thread(files.certificates, pems, KeyStore())
    findings += certificates.of_certificates(found, now)
    crls = [pem.crls for pem in pems if pem.crls is not None]
    findings += certificates.of_lists(await asyncio.to_thread(files.lists, crls), now)
    secrets = [files.file(settings.token_file, "the operator's token", secret=True)]
    findings += machine_rules.of_files(each for each in secrets if each.there)
    if worker.silent:
        findings += machine_rules.of_ports(_ports(settings))
    return findings


def _worker(settings: HeadEndSettings) -> Worker:
    """Ask the running head-end, by the file that it leaves for commands of this machine."""
    path = settings.operator_file or settings.token_file.with_name(OPERATOR_FILE)
    try:
        url = Operator.model_validate_json(path.read_text(encoding="utf-8")).url
    except FileNotFoundError:
        return Worker("it has not left its address here")
    except (OSError, ValidationError) as error:
        return Worker(f"{path}: {getattr(error, 'strerror', None) or 'makes no sense'}")
    try:
        ready = _ready(url)
        health = ask(path, "GET", "/fleet/health", _Health, within_s=_WITHIN_S)
        bulletin = (
            None
            if settings.bulletins is None
            else ask(path, "GET", "/bulletin", _Bulletin, within_s=_WITHIN_S).published
        )
    except (OperatorError, NoAnswerError, ValidationError) as error:
        return Worker(str(error).partition("\n")[0])
    until = None if bulletin is None else bulletin.expires
    return Worker("", ready, health.workers, health.signals, until)


def _ready(url: str) -> str:
    """Return what a worker says of itself.

    Raises:
        NoAnswerError: It does not answer.
        ValidationError: It answers nonsense.
    """
    try:
        answer = fetch(f"{url}/health/ready", within_s=_WITHIN_S)
    except urllib.error.HTTPError as error:
        with error:
            answer = error.read()
    return _State.model_validate_json(answer).status


def _pems(settings: HeadEndSettings) -> list[Pem]:
    found = [
        Pem(
            "the server's certificate", settings.certificate, settings.key, settings.crls, own=True
        ),
        Pem("the root of homes", settings.roots),
    ]
    console, above = settings.operators, settings.upstream
    if console is not None and console.certificate is not None:
        found.append(Pem("the operators' certificate", console.certificate, console.key, own=True))
    if settings.bulletins is not None:
        signer = settings.bulletins
        found.append(Pem("the certificate of bulletins", signer.certificate, signer.key, own=True))
    if above is not None:
        found.append(Pem("the certificate at the utility above", above.certificate, above.key))
        found.append(Pem("the root of the utility above", above.roots, crls=above.crls))
    return found


def _ports(settings: HeadEndSettings) -> Sequence[Listened]:
    places = {
        "homes": (settings.host, settings.port),
        "the operator's door": (settings.operator_host, settings.operator_port),
    }
    named = {"homes": "port", "the operator's door": "operator_port"}
    return machine.listened(places, named)
