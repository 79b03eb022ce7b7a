"""The front end's types say what the API's models say."""

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from web import models, programmes_api

TYPES = Path(models.__file__).parent / "app" / "src" / "api" / "types.ts"
INTERFACE = re.compile(r"export interface (\w+) \{(.*?)\}", re.DOTALL)
FIELD = re.compile(r"^\s+(\w+): (.+);$", re.MULTILINE)
SHOWN = [
    models.DeviceAnswer,
    models.EventAnswer,
    models.MessageAnswer,
    models.PriceAnswer,
    models.UtilityAnswer,
    models.HomeAnswer,
    models.SeriesAnswer,
    models.HistoryAnswer,
    programmes_api.AboutAnswer,
    programmes_api.StandingAnswer,
    programmes_api.ProgrammeAnswer,
    programmes_api.ProgrammesAnswer,
]


def _typescript(interface: str) -> dict[str, str]:
    bodies = dict(INTERFACE.findall(TYPES.read_text()))
    return dict(FIELD.findall(bodies[interface]))


@pytest.mark.parametrize("model", SHOWN, ids=lambda m: m.__name__)
def test_the_front_end_knows_each_field(model: type[BaseModel]) -> None:
    typed = _typescript(model.__name__)
    assert list(typed) == list(model.model_fields)
    for name, field in model.model_fields.items():
        if "None" in str(field.annotation):
            assert "null" in typed[name], f"{model.__name__}.{name} may be null"
