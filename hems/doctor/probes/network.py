"""The way to a server and to devices, gone step by step: name, connection, answer, registration."""

import asyncio
import os
import socket
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from certs.errors import CertificateError
from certs.identity import IdentityFiles, Trust
from certs.tls import client_context
from hems.doctor.facts import Step
from hems.sep2.errors import Sep2Error
from hems.sep2.resources import DeviceCapability, EndDeviceList
from hems.sep2.transport.http import Transport

WITHIN_S: Final = 5.0
_HTTPS: Final = 443


async def to_device(host: str, port: int, within_s: float = WITHIN_S) -> str:
    """Return why nobody answers at an address; empty where somebody does."""
    try:
        async with asyncio.timeout(within_s):
            _, writer = await asyncio.open_connection(host, port)
    except TimeoutError:
        return f"no answer within {within_s:g} s"
    except OSError as error:
        return _words(error)
    writer.close()
    return ""


async def to_utility(
    url: str | None, identity: IdentityFiles, trust: Trust, lfdi: str, schema_ver: str | None
) -> tuple[Step, ...]:
    """Return the steps to a utility's server, up to the first that fails.

    Args:
        url: Its DeviceCapability; None where it is looked for in the network.
        identity: Our certificate there.
        trust: Whom we believe.
        lfdi: As whom we are registered.
        schema_ver: Which edition's schema is spoken; see `Transport`.
    """
    if url is None:
        return (Step("address", True, "found by DNS-SD, by the running hub alone"),)
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or _HTTPS
    steps: list[Step] = []
    for go in (_resolved, _connected):
        steps.append(await go(host, port))
        if not steps[-1].good:
            return tuple(steps)
    try:
        context = client_context(identity, trust)
        base = f"{parts.scheme}://{parts.netloc}"
        async with Transport(base, context, schema_ver=schema_ver) as transport:
            steps += await _asked(transport, parts.path, lfdi)
    except (CertificateError, ValueError) as error:
        steps.append(Step("answer", False, str(error)))
    return tuple(steps)


async def _asked(transport: Transport, path: str, lfdi: str) -> Sequence[Step]:
    try:
        dcap = await transport.get(path, DeviceCapability)
    except Sep2Error as error:
        return [Step("answer", False, str(error))]
    answered = Step("answer", True, "TLS and certificates fit, and it answers")
    if dcap.end_device_list_link is None:
        return [answered]
    try:
        devices = await transport.get_list(dcap.end_device_list_link.href, EndDeviceList)
    except Sep2Error as error:
        return [answered, Step("registration", False, str(error))]
    known = any((each.lfdi or "").upper() == lfdi.upper() for each in devices.end_device)
    said = "it knows this home" if known else f"it does not list the LFDI {lfdi}"
    return [answered, Step("registration", known, said)]


async def _resolved(host: str, port: int) -> Step:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(WITHIN_S):
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except TimeoutError:
        return Step("name", False, f"no name server has answered for {host} in {WITHIN_S:g} s")
    except (OSError, UnicodeError) as error:
        return Step("name", False, f"{host}: {_words(error)}")
    addresses = ", ".join(dict.fromkeys(str(each[4][0]) for each in found))
    return Step("name", True, f"{host} is at {addresses}")


async def _connected(host: str, port: int) -> Step:
    why = await to_device(host, port)
    return Step("connection", not why, f"{host} port {port}: {why or 'takes connections'}")


def _words(error: Exception) -> str:
    """Return why not; what asyncio says of a refused connection names the call, not the reason."""
    number = error.errno if isinstance(error, OSError) else None
    if number is not None and number > 0:  # those of name servers are negative
        return os.strerror(number)
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
