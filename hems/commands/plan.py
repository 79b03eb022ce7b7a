"""`hems plan`: what the running home is going to do, and why."""

import urllib.error
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, ValidationError

from hems.commands import home_time
from hems.commands.fetch import NoAnswerError, fetch
from hems.commands.output import fail
from hems.commands.way_in import credentials, hint, unanswered


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore")


class _Step(_Part):
    starts_at: float
    ends_at: float
    power_w: float
    use: str
    reason: str


class _Planned(_Part):
    steps: list[_Step]


class _Plan(_Part):
    time_zone: str
    made_at: float
    start: float
    step_s: float
    net_w: list[float]
    devices: dict[str, _Planned]
    cost: float
    currency: str
    given_up: list[str]
    notes: list[str]


def show(url: str, *, as_json: bool) -> int:
    """Print the plan of the home whose page is at `url`; returns the exit code.

    Args:
        url: The page's address.
        as_json: Whether to print it as the page gets it.
    """
    try:
        text = fetch(f"{url.rstrip('/')}/api/plan", headers=credentials(url))
        if not text:
            print("nothing is planned: there is no tariff, no need and nothing to plan, or not yet")
            return 0
        if as_json:
            print(text.decode())
            return 0
        plan = _Plan.model_validate_json(text)
    except NoAnswerError as error:
        return fail(unanswered(url, error))
    except urllib.error.HTTPError as error:
        with error:
            said = f"{url} answers {error.code} {error.reason}, not as a home's page does"
            return fail(said + hint(error.code))
    except ValidationError:
        return fail(f"{url} answers, but not as a home's page does")
    for line in _lines(plan):
        print(line)
    return 0


def _lines(plan: _Plan) -> Sequence[str]:
    zone = home_time.zone(plan.time_zone)

    def time(at: float) -> str:
        return home_time.words(at, zone)

    end = plan.start + len(plan.net_w) * plan.step_s
    lines = [f"planned {time(plan.made_at)}, until {time(end)}"]
    lines.append(f"{'cost of energy':<18} {plan.cost:.2f} {plan.currency}".rstrip())
    for name, planned in sorted(plan.devices.items()):
        lines += [
            f"{name:<18} {time(s.starts_at)} - {time(s.ends_at)}  {s.power_w:7.0f} W  "
            f"{s.reason or s.use}"
            for s in planned.steps
        ]
    lines += [f"{'given up':<18} {sentence}" for sentence in plan.given_up]
    lines += [f"{'note':<18} {sentence}" for sentence in plan.notes]
    return lines
