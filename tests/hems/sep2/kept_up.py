"""A part of the client run by itself against a scripted utility on a TLS socket."""

import asyncio
import contextlib
import random
import ssl
from collections.abc import AsyncIterator, Coroutine
from typing import Any

from lxml import etree

from certs.pki import Pki
from certs.tls import client_context
from hems.sep2.rules.dialect import Dialect
from hems.sep2.transport.http import Limits, Transport
from tests.hems.sep2.schema import Edition, validator
from tests.hems.sep2.utility import Utility, serving

LFDI = "A" * 40
SCHEMAS = {
    Dialect.V2018: Edition.OF_2018,
    Dialect.CSIP: Edition.OF_2018,
    Dialect.CSIP_AUS: Edition.CSIPAUS,
    Dialect.V2023: Edition.OF_2023,
}
RNG = random.Random(1)  # noqa: S311 - jitter


@contextlib.asynccontextmanager
async def transport_to(
    utility: Utility, context: ssl.SSLContext, pki: Pki, dialect: Dialect = Dialect.CSIP_AUS
) -> AsyncIterator[Transport]:
    """Serve a utility and give a way to it."""
    ours = client_context(pki.identity("hub"), pki.trust)
    async with (
        serving(utility, context),
        Transport(
            utility.base,
            ours,
            limits=Limits(total_s=3, connect_s=3),
            schema_ver=dialect.schema_ver,
        ) as transport,
    ):
        yield transport


@contextlib.asynccontextmanager
async def running(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run something beside a test; it must not end by itself."""
    task = asyncio.create_task(work)
    try:
        yield
        assert not task.done(), "it ended"
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def assert_valid(utility: Utility, dialect: Dialect) -> None:
    """Check all that the utility was sent against the schema of a dialect."""
    assert utility.bodies
    for _, _, body in utility.bodies:
        validator(SCHEMAS[dialect]).assertValid(etree.fromstring(body))
