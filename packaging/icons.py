"""Draw the page's icons as pictures: `python packaging/icons.py`, needs Debian's Chromium.

Phones want PNG files. All are drawn from `web/app/public/icon.svg`; the maskable one and Apple's
fill their square, since the system cuts its own shape out of them.
"""

import re
import shutil
from pathlib import Path

from playwright.sync_api import sync_playwright

PUBLIC = Path(__file__).resolve().parents[1] / "web" / "app" / "public"
GROUND = "#1d4b4f"
SIZES = {"icon-192.png": (192, 1.0), "icon-512.png": (512, 1.0)}
FILLED = {"icon-maskable-512.png": (512, 0.72), "icon-apple-180.png": (180, 0.82)}
"""How large the drawing is within the square: a maskable icon keeps 80 % of it in any shape."""


def main() -> None:
    """Draw all of them."""
    drawing = (PUBLIC / "icon.svg").read_text(encoding="utf-8")
    square = re.sub(r'rx="\d+" ', "", drawing)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--headless", "--no-sandbox"]
        )
        page = browser.new_page()
        for name, (size, part) in {**SIZES, **FILLED}.items():
            picture = drawing if name in SIZES else square
            page.set_viewport_size({"width": size, "height": size})
            ground = "transparent" if name in SIZES else GROUND
            page.set_content(
                f"<style>html,body{{margin:0;height:100%;background:{ground}}}"
                f"body{{display:grid;place-items:center}}svg{{width:{100 * part}%}}</style>"
                f"{picture}"
            )
            page.screenshot(path=PUBLIC / name, omit_background=True)
        browser.close()


if __name__ == "__main__":
    main()
