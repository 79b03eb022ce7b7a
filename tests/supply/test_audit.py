"""The audit against a source of advisories on a real socket, and our own source through bandit."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tests.supply import accepted, advisories, audit, source_check
from tests.supply.accepted import Accepted
from tests.supply.advisories import Advisory, Kept, UnreachedError
from tests.supply.parts import Ecosystem, Part, Use

pytestmark = pytest.mark.requirement("LC-TEST")

TODAY = date(2026, 3, 1)
FLAW: dict[str, Any] = {
    "id": "GHSA-aaaa-bbbb-cccc",
    "aliases": ["CVE-2026-0001"],
    "summary": "Bad things happen",
    "affected": [
        {
            "package": {"name": "yarl", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.0"}]}],
        }
    ],
}


def part(name: str, version: str, ecosystem: Ecosystem = Ecosystem.NPM) -> Part:
    return Part(ecosystem, name, version, Use.SHIPPED, (), "", direct=True, needed_by=())


PARTS = [part("vue", "3.5.0"), part("qr", "0.7.0"), part("yarl", "1.0", Ecosystem.PYPI)]


@dataclass
class Osv:
    """A source of advisories on a port of this machine.

    Attributes:
        url: Its address.
        known: Flaws by ecosystem, name and version.
        broken: What it answers instead, if anything.
        asked: What it was asked about.
    """

    url: str
    known: dict[tuple[str, str, str], dict[str, Any]] = field(default_factory=dict)
    broken: tuple[int, bytes] | None = None
    asked: list[tuple[str, str, str]] = field(default_factory=list)

    def answer(self, path: str, body: Any) -> dict[str, Any]:
        queries = body["queries"] if path == "/v1/querybatch" else [body]
        results = [self._of(each) for each in queries]
        return {"results": results} if path == "/v1/querybatch" else results[0]

    def _of(self, query: Any) -> dict[str, Any]:
        named = query["package"]
        key = (named["ecosystem"], named["name"], query["version"])
        self.asked.append(key)
        return {"vulns": [self.known[key]]} if key in self.known else {}


@pytest.fixture
def osv() -> Iterator[Osv]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, content = served.broken or (200, json.dumps(served.answer(self.path, body)))
            octets = content if isinstance(content, bytes) else content.encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(octets)))
            self.end_headers()
            self.wfile.write(octets)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served = Osv(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield served
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    path = tmp_path / "requirements.lock"
    path.write_text(f"yarl==1.0 \\\n    --hash=sha256:{'a' * 64}\n")
    return path


def test_what_is_known_of_python_s_and_the_page_s_parts_is_told(osv: Osv, lock: Path) -> None:
    assert advisories.told(PARTS, osv.url, lock) == []
    assert osv.asked == [("npm", "vue", "3.5.0"), ("npm", "qr", "0.7.0"), ("PyPI", "yarl", "1.0")]
    osv.known["PyPI", "yarl", "1.0"] = FLAW
    osv.known["npm", "qr", "0.7.0"] = {"id": "GHSA-qr", "modified": "2026-01-01T00:00:00Z"}
    page, python = advisories.told(PARTS, osv.url, lock)
    assert (page.part, page.version, page.ids) == ("npm/qr", "0.7.0", ("GHSA-qr",))
    assert python.part == "pypi/yarl"
    assert set(python.ids) == {"GHSA-aaaa-bbbb-cccc", "CVE-2026-0001"}
    assert python.fixed == ("2.0",)
    assert "Bad things happen" in python.line()


@pytest.mark.parametrize(
    "broken",
    [(500, b"{}"), (503, b""), (200, b"<html>"), (200, b'{"results": []}')],
)
def test_a_source_that_answers_nonsense_is_out_of_reach(
    osv: Osv, lock: Path, broken: tuple[int, bytes]
) -> None:
    osv.broken = broken
    with pytest.raises(UnreachedError, match=r"answer"):
        advisories.told(PARTS, osv.url, lock)


def test_pip_audit_out_of_reach_is_told_from_a_lock_file_that_it_cannot_read(
    osv: Osv, lock: Path
) -> None:
    closed = "http://127.0.0.1:9"
    with pytest.raises(UnreachedError, match="does not answer"):
        advisories.told([], closed, lock)
    lock.write_text("yarl==1.0\n")  # no hash
    with pytest.raises(RuntimeError, match="pip-audit cannot do its work"):
        advisories.told([], osv.url, lock)


def run(osv_url: str, lock: Path, known: Accepted, *, keep: bool = False) -> bool:
    kept = lock.with_name("kept.json")
    return audit.audit_parts(PARTS, known, TODAY, source=osv_url, kept=kept, keep=keep, lock=lock)


def test_a_known_vulnerability_fails_unless_it_is_accepted_for_now(osv: Osv, lock: Path) -> None:
    assert run(osv.url, lock, Accepted())
    osv.known["PyPI", "yarl", "1.0"] = FLAW
    assert not run(osv.url, lock, Accepted())
    entry = {"id": "CVE-2026-0001", "part": "pypi/yarl", "why": "never given what others wrote"}
    for until, well in (("2026-03-01", True), ("2026-02-28", False)):
        known = Accepted.model_validate({"advisory": [{**entry, "until": until}]})
        assert run(osv.url, lock, known) is well
    for_good = {"advisory": [{**entry, "until": "2026-05-31"}]}
    assert not run(osv.url, lock, Accepted.model_validate(for_good)), "91 days"
    other = {**entry, "part": "pypi/aiohttp", "until": "2026-05-30"}
    assert not run(osv.url, lock, Accepted.model_validate({"advisory": [other]}))
    assert not lock.with_name("kept.json").exists()


def test_out_of_reach_what_is_kept_is_told_with_its_age_and_nothing_fails(
    osv: Osv, lock: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    osv.known["npm", "vue", "3.5.0"] = {"id": "GHSA-vue"}
    assert not run(osv.url, lock, Accepted(), keep=True)
    capsys.readouterr()
    assert run("http://127.0.0.1:9", lock, Accepted())
    said = capsys.readouterr().out
    assert "out of reach" in said
    assert "told on 2026-03-01, 0 days ago" in said
    assert "npm/vue 3.5.0: GHSA-vue" in said
    assert "WARNING" not in said


def test_what_is_kept_says_its_age_and_what_it_does_not_cover() -> None:
    found = [
        Advisory(part="npm/vue", version="3.5.0", ids=("A",)),
        Advisory(part="npm/vue", version="3.4.0", ids=("B",)),
    ]
    asked = {"npm/vue": "3.5.0", "npm/qr": "0.6.0", "pypi/yarl": "1.0"}
    kept = Kept(day=date(2026, 1, 1), asked=asked, found=tuple(found))
    told, said = audit.from_kept(kept, PARTS, TODAY)
    assert [each.ids for each in told] == [("A",)]
    assert [line.partition(":")[0] for line in said[1:]] == ["WARNING", "WARNING"]
    assert "59 days ago" in said[0]
    assert "1 parts that have changed" in said[2]
    assert audit.from_kept(Kept(), PARTS, TODAY) == (
        [],
        ["no answer was ever kept: nothing is known of vulnerabilities of parts"],
    )


def test_what_is_accepted_has_a_reason_and_an_end(tmp_path: Path) -> None:
    accepted.read()  # the real one is sound
    file = tmp_path / "accepted.toml"
    for text in (
        '[[advisory]]\nid = "A"\npart = "pypi/x"\nwhy = "a reason that is long enough"\n',
        '[[advisory]]\nid = "A"\npart = "pypi/x"\nwhy = "short"\nuntil = 2026-03-01\n',
        '[[source]]\ntest = "S603"\nfile = "x"\nwhy = "a reason that is long enough"\n',
        '[[sauce]]\ntest = "B603"\n',
    ):
        file.write_text(text)
        with pytest.raises(ValidationError):
            accepted.read(file)


def test_bandit_s_findings_count_unless_their_reason_is_written_down(tmp_path: Path) -> None:
    folder = tmp_path / "ours"
    folder.mkdir()
    (folder / "bad.py").write_text(
        "import subprocess\n"
        "subprocess.call('ls ' + input(), shell=True)\n"
        "subprocess.run(['ls'], check=True)  # noqa: S603 - a fixed program\n"
        "subprocess.run(['ls'], check=True)  # noqa: S603\n"
        "exec('1')\n"
    )
    found = source_check.findings(tmp_path, ["ours"])
    assert [(each.test, each.line, each.explained) for each in found] == [
        ("B602", 2, False),
        ("B607", 3, False),
        ("B603", 3, True),
        ("B607", 4, False),
        ("B603", 4, False),
        ("B102", 5, False),
    ]
    why = "a reason that is long enough"
    known = Accepted.model_validate(
        {
            "source": [
                {"test": "B607", "file": "ours/bad.py", "why": why},
                {"test": "B101", "file": "ours/bad.py", "why": why},
            ]
        }
    )
    wrong, stale = source_check.judged(found, known)
    assert [line.split(": ")[1] for line in wrong] == ["B602", "B603", "B102"]
    assert stale == ["ours/bad.py: B101 is not found there any more"]


def test_source_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    (tmp_path / "ours").mkdir()
    (tmp_path / "ours" / "broken.py").write_text("def (:\n")
    with pytest.raises(RuntimeError, match="bandit cannot read"):
        source_check.findings(tmp_path, ["ours"])
