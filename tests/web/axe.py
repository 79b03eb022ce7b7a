"""axe-core in the page under test: what it finds wrong, one line for each element.

A test says `assert await violations(page) == []`.
"""

from functools import cache
from pathlib import Path
from typing import Final

from playwright.async_api import Page

SOURCE: Final = Path("web/app/node_modules/axe-core/axe.min.js")
"""Installed with the front end's other tools; tests run in the project's folder."""
RULES: Final = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")

_RUN = """async ([rules, within]) => {
  const found = await axe.run(within ?? document, {
    runOnly: {type: "tag", values: rules},
    resultTypes: ["violations"],
  });
  return found.violations.flatMap(({id, help, nodes}) =>
    nodes.map((node) => `${id}: ${help}: ${node.target.join(" ")}: ${
      (node.any[0] ?? node.all[0] ?? node.none[0])?.message ?? ""}`));
}"""


async def violations(page: Page, within: str | None = None) -> list[str]:
    """Return what axe-core finds wrong with a page as it stands.

    Args:
        page: The page; its security policy does not bind what a debugger brings along.
        within: Selector of the part to look at; None for all of it.

    Returns:
        For each element that breaks a rule, its rule, what that asks, its selector and what is
        wrong with it; none where all is well.
    """
    if not await page.evaluate("typeof axe === 'object'"):
        await page.evaluate(_source())
    found: list[str] = await page.evaluate(_RUN, [list(RULES), within])
    return found


@cache
def _source() -> str:
    return SOURCE.read_text(encoding="utf-8")
