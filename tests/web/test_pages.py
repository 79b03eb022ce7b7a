"""The front end's files and the page's own places, as a browser asks for them."""

import gzip
from pathlib import Path

import pytest

from tests.web.conftest import Served
from web.settings import WebSettings

PAGE = "<!doctype html><title>Home</title>"
SCRIPT = b"export const answer = 42;" * 100
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}

pytestmark = pytest.mark.requirement("ROLE-UI")


@pytest.fixture(autouse=True)
def built(settings: WebSettings) -> Path:
    """A front end, one of its files with its compressed sibling."""
    folder = settings.static_dir
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text(PAGE)
    (folder / "sw.js").write_text("self")
    (folder / "manifest.webmanifest").write_text("{}")
    (folder / "assets" / "page-1.js").write_bytes(SCRIPT)
    (folder / "assets" / "page-1.js.gz").write_bytes(gzip.compress(SCRIPT))
    return folder


@pytest.mark.parametrize("path", ["/", "/devices", "/devices/ev-1", "/a%20b", "/apiary", "/x/"])
async def test_a_place_on_the_page_is_the_page(served: Served, path: str) -> None:
    async with served.client.get(path, headers=BROWSER) as answer:
        assert answer.status == 200
        assert answer.content_type == "text/html"
        assert answer.headers["Cache-Control"] == "no-cache"
        assert await answer.text() == PAGE


@pytest.mark.parametrize(
    ("path", "accept"),
    [
        ("/devices", "*/*"),
        ("/devices", "application/json"),
        ("/missing.js", BROWSER["Accept"]),
        ("/assets/page-2.js", BROWSER["Accept"]),
        ("/api/nothing", BROWSER["Accept"]),
        ("/api", BROWSER["Accept"]),
        ("/%00", BROWSER["Accept"]),
        ("/..%2f..%2fsecret", "*/*"),
    ],
)
async def test_what_is_no_place_is_not_found(served: Served, path: str, accept: str) -> None:
    async with served.client.get(path, headers={"Accept": accept}) as answer:
        assert answer.status == 404
        assert await answer.json() == {"error": "There is nothing at this address."}


async def test_files_are_sent_compressed_to_who_takes_that(served: Served) -> None:
    for coding in ("gzip", "identity"):
        asked = {"Accept-Encoding": coding}
        async with served.client.get("/assets/page-1.js", headers=asked) as answer:
            assert answer.headers.get("Content-Encoding", "identity") == coding
            assert answer.headers["Vary"] == "Accept-Encoding"
            assert answer.content_type.endswith("/javascript")
            assert "immutable" in answer.headers["Cache-Control"]
            assert await answer.read() == SCRIPT


@pytest.mark.parametrize("path", ["/", "/devices", "/sw.js"])
async def test_what_has_not_changed_is_not_sent_again(served: Served, path: str) -> None:
    async with served.client.get(path, headers=BROWSER) as answer:
        tag = answer.headers["ETag"]
        assert answer.headers["Cache-Control"] == "no-cache"
    async with served.client.get(path, headers={**BROWSER, "If-None-Match": tag}) as answer:
        assert answer.status == 304


async def test_a_manifest_is_called_one(served: Served) -> None:
    async with served.client.get("/manifest.webmanifest") as answer:
        assert answer.content_type == "application/manifest+json"
        policy = answer.headers["Content-Security-Policy"]
        assert "manifest-src 'self'" in policy
        assert "worker-src 'self'" in policy


async def test_long_answers_are_compressed_and_short_ones_not(served: Served) -> None:
    async with served.client.get("/api/home") as answer:
        assert answer.headers["Content-Encoding"] in {"gzip", "deflate"}
        assert (await answer.json())["seq"] == 1
    async with served.client.get("/api/home", headers={"Accept-Encoding": "identity"}) as answer:
        assert "Content-Encoding" not in answer.headers
    async with served.client.get("/api/health") as answer:
        assert "Content-Encoding" not in answer.headers
