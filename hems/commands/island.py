"""`hems island`: how the running home stands to its grid; to part from it, and to go back."""

import argparse

from pydantic import ValidationError

from hems.commands.output import fail
from hems.commands.page import Page, PageError, Told
from programs.rules import kilowatts

_NONE = "The home has no tie, so it goes with its grid"


class _Island(Told):
    phase: str
    words: str
    promise: str
    permit: str
    agreement: str
    gives_w: float
    takes_w: float
    energy_wh: float | None


def run(options: argparse.Namespace) -> int:
    """Show how the home stands to its grid, or ask it to part or return; returns the exit code."""
    page = Page(options.url)
    try:
        if options.what != "status":
            page.post("/api/island", {"leave": options.what == "leave"})
        text = page.text("/api/island")
        if not text:
            print(_NONE)
            return 0
        found = _Island.model_validate_json(text)
    except PageError as error:
        return fail(str(error))
    except ValidationError:
        return fail(f"{options.url} answers, but not as a home's page does")
    for line in _lines(found):
        print(line)
    return 0


def _lines(found: _Island) -> list[str]:
    under = f" ({found.agreement})" if found.agreement else ""
    stored = "" if found.energy_wh is None else f", with {found.energy_wh / 1000:.3g} kWh"
    gives, takes = kilowatts(found.gives_w), kilowatts(found.takes_w)
    return [
        found.words or "The home is connected to its grid",
        found.promise,
        f"The utility permits: {found.permit}{under}",
        f"Its inverter gives {gives} and takes {takes}{stored}",
    ]
