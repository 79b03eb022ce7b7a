"""The documents build as a site without a broken link, and it asks nobody else for anything."""

import os
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.papers.site import AT_ROOT, loosened
from tests.traceability import ROOT

pytestmark = pytest.mark.timeout(600)  # some seconds, on a machine that does nothing else


def _build(config: Path, site: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-f", str(config)]
    return subprocess.run(
        [*command, "-d", str(site)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


class _Loads(HTMLParser):
    """What a page has the browser load by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take the address of what is loaded; a link is only followed by a person."""
        values = dict(attrs)
        if tag in {"script", "img", "iframe", "source"}:
            self.found.append(values.get("src") or "")
        if tag == "link" and values.get("rel") not in {"canonical", "next", "prev"}:
            self.found.append(values.get("href") or "")


def test_the_site_builds_and_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    built = _build(ROOT / "mkdocs.yml", tmp_path)
    assert built.returncode == 0, built.stdout
    pages = list(tmp_path.rglob("*.html"))
    for page in pages:
        loads = _Loads()
        loads.feed(page.read_text(encoding="utf-8"))
        assert [each for each in loads.found if "//" in each] == [], page.name
    styles = "".join(each.read_text(encoding="utf-8") for each in tmp_path.rglob("*.css"))
    assert "url(http" not in styles
    assert "@import" not in styles
    names = {str(page.relative_to(tmp_path)) for page in pages}
    assert {name.replace(".md", ".html") for name in AT_ROOT.values()} <= names
    assert "devices/keba-p30.html" in names
    assert "]+|https://" in (tmp_path / "settings.html").read_text(encoding="utf-8")
    assert (tmp_path / "images" / "event-desktop.png").exists()


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("[gone](gone.md)", "gone.md"),
        ("[nowhere](index.md#nowhere)", "nowhere"),
        ("![no picture](images/none.png)", "none.png"),
    ],
)
def test_a_broken_link_is_found(text: str, wrong: str, tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.md").write_text(f"# Start\n\n{text}\n")
    whole = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    config = tmp_path / "mkdocs.yml"
    config.write_text(
        whole[: whole.index("nav:\n  - Start")]
        .replace("  - tests/papers/site.py", f"  - {ROOT}/tests/papers/site.py")
        .replace("omitted_files: warn", "omitted_files: info")
    )
    built = _build(config, tmp_path / "site")
    assert built.returncode != 0
    assert wrong in built.stdout


def test_a_list_right_behind_a_paragraph_is_one() -> None:
    text = "So:\n- a\n  - b\n```\nx\n- no list\n```\n| a |\n|---|\n| b |\n"
    wanted = "So:\n\n- a\n    - b\n```\nx\n- no list\n```\n\n| a |\n|---|\n| b |\n"
    assert loosened(text) == wanted
