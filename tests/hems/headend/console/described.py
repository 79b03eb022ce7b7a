"""What the operator's door says of itself: asked of a head-end that runs as it comes."""

import tempfile
from pathlib import Path
from typing import Any

import aiohttp

from certs.pki import init_pki
from hems.headend.server import HeadEnd
from hems.headend.settings import HeadEndSettings


async def described() -> dict[str, Any]:
    """Return the document at `/openapi.json`."""
    with tempfile.TemporaryDirectory() as folder:
        pki = init_pki(Path(folder, "pki"))
        utility = pki.identity("utility")
        settings = HeadEndSettings(
            database=Path(folder, "headend.sqlite"),
            certificate=utility.certificate,
            key=utility.key,
            roots=pki.trust.roots,
            crls=pki.trust.crls,
            token_file=Path(folder, "token"),
        )
        async with HeadEnd(settings) as running, aiohttp.ClientSession() as client:
            shown = {"Authorization": f"Bearer {running.token}"}
            url = f"{running.addresses.operator_url}/openapi.json"
            async with client.get(url, headers=shown) as answer:
                assert answer.status == 200, await answer.text()
                told: dict[str, Any] = await answer.json()
                return told
