"""What MkDocs is told beside `mkdocs.yml`: papers at the root, and Markdown as GitHub reads it."""

import posixpath
import re
from typing import Final

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from tests.traceability import ROOT

AT_ROOT: Final = {
    "CHANGELOG.md": "releases.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "reporting.md",
    "README.md": "index.md",
}
"""Papers that GitHub wants at the root, and which page of the site each is."""

_LINK: Final = re.compile(r"(?<=\]\()(?!https?:|mailto:|#)([^)#\s]+)")
_BLOCK: Final = re.compile(r"\s*([-*] |\d+\. |\|)")
_FENCE: Final = re.compile(r"\s*```")
_CELL: Final = re.compile(r"<td[ >].*?</td>", re.DOTALL)
_DEEPER: Final = re.compile(r"^(  )(?=[-*] )")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the papers at the root to the pages."""
    for name, page in AT_ROOT.items():
        if files.get_file_from_path(page) is None:
            text = (ROOT / name).read_text(encoding="utf-8")
            files.append(File.generated(config, page, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001 - MkDocs passes all by name
    """Return a page's Markdown with links as they are within the site."""
    source = page.file.src_uri
    own = {there: here for here, there in AT_ROOT.items()}.get(source)
    folder = "" if own else posixpath.dirname(f"docs/{source}")
    if source == "index.md":
        folder = "docs"

    def moved(link: re.Match[str]) -> str:
        there = posixpath.normpath(posixpath.join(folder, link[1]))
        there = AT_ROOT.get(there, there.removeprefix("docs/"))
        return posixpath.relpath(there, posixpath.dirname(source) or ".")

    return _LINK.sub(moved, loosened(markdown))


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001 - MkDocs passes all by name
    """Return a page with the bars in cells of tables as GitHub has them: escaped, and not seen."""
    return _CELL.sub(lambda cell: cell[0].replace("\\|", "|"), html)


def loosened(markdown: str) -> str:
    """Return Markdown in which lists and tables right behind a paragraph are such, as on GitHub."""
    lines: list[str] = []
    fenced = False
    for line in markdown.splitlines():
        before = lines[-1] if lines else ""
        if _FENCE.match(line):
            fenced = not fenced
        elif not fenced:
            begins = _BLOCK.match(line)
            if begins and before.strip() and not _BLOCK.match(before) and before[:1] != " ":
                lines.append("")
        lines.append(line if fenced else _DEEPER.sub("    ", line))
    return "\n".join(lines) + "\n"
