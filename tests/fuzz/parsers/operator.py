"""Orders at the operator's door: JSON, judged by the models before anything is done.

An input is a first octet that says which order it is, and the body of the request.
"""

import json
import random
from collections.abc import Callable, Sequence
from typing import Final

from pydantic import BaseModel

from hems.headend.errors import HeadEndError
from hems.headend.est.door import CodeIn, DecisionIn
from hems.headend.est.expected_door import ExpectedHubsIn
from hems.headend.operator_asks import NewCurveIn
from hems.headend.operator_der import DefaultIn
from hems.headend.operator_door import read_body
from hems.headend.operator_flows import GrantIn
from hems.headend.operator_messages import MessageIn
from hems.headend.operator_models import CancelIn, EventIn, HomeIn
from hems.headend.operator_prices import SeriesIn
from tests.fuzz.parsers.nasty import WORDS as NASTY
from tests.fuzz.parsers.nasty import json_changed
from tests.fuzz.parsers.parser import Parser, attempt, changed

_MODELS: Final[Sequence[type[BaseModel]]] = (
    EventIn, SeriesIn, NewCurveIn, DefaultIn, GrantIn, MessageIn, CancelIn, HomeIn, CodeIn,
    DecisionIn, ExpectedHubsIn,
)  # fmt: skip


def examine(data: bytes) -> str:
    """Read an order, and put it into the head-end's own words."""
    head, body = (data[0], data[1:]) if data else (0, b"")
    model = _MODELS[head % len(_MODELS)]
    found, words = attempt(lambda: read_body(body, model), HeadEndError)
    if isinstance(found, EventIn):
        return f"{model.__name__} {attempt(found.order, HeadEndError)[1]}"
    if isinstance(found, SeriesIn):
        return f"{model.__name__} {attempt(found.series, HeadEndError)[1]}"
    return f"{model.__name__} {words}"


def seeds() -> list[bytes]:
    """Return an order of each kind."""
    curve = {"points": [[207, 30], [220, 0], [240, 0], [253, -30]], "x": "v", "y": "var"}
    orders: dict[type[BaseModel], list[object]] = {
        EventIn: [
            {"minutes": 10, "target_w": -2000},
            {"seconds": 60, "start": "+5m", "max_lim_w": 50, "randomize_start_s": 30},
            {"minutes": 1, "fixed_var": {"of": "max_var", "percent": 20}, "raw": True},
            {"minutes": 1, "volt_var": curve, "freq_droop": {"db_hz": 0.1, "k": 0.05}},
        ],
        SeriesIn: [
            {"prices": [{"start": "2026-03-01T00:00:00+01:00", "minutes": 60, "price": 0.3}]},
            {"tariff": "T", "currency": "EUR", "prices": [{"start": 1772400000, "minutes": 5}]},
        ],
        NewCurveIn: [{"name": "c", **curve}],
        DefaultIn: [{"export_w": 5000}],
        GrantIn: [{"power_w": 1000, "energy_wh": 500}],
        MessageIn: [{"text": "Hello", "minutes": 10, "priority": "normal"}],
        CancelIn: [{"randomize": True}],
        HomeIn: [{"lfdi": "0" * 40, "pin": "111115", "edition": "2018"}],
        CodeIn: [{"pin": "111115", "hours": 24}],
        DecisionIn: [{"pin": "111115"}, {}],
        ExpectedHubsIn: [
            {"hubs": [{"kind": "1.3.6.1", "serial": "00ff", "pin": "111115"}], "days": 2}
        ],
    }
    return [
        bytes([_MODELS.index(model)]) + json.dumps(each).encode()
        for model, bodies in orders.items()
        for each in bodies
    ]


def mutated(data: bytes, rng: random.Random) -> bytes:
    """Return an order with a value or a name changed."""
    change: Callable[[bytes], bytes] = lambda body: (  # noqa: E731
        json_changed(body, rng) if rng.randrange(3) else changed(body, rng, WORDS)
    )
    return data[:1] + change(data[1:])


WORDS: Final = (
    *NASTY,
    *(f'"{name}":'.encode() for model in _MODELS for name in model.model_fields),
)
PARSER: Final = Parser(examine, seeds, WORDS, mutated)
