"""The page on descriptions names every key, lists what there is, and its example works."""

import re
from pathlib import Path

from pydantic import BaseModel

from der.drivers.mapped import schema
from der.drivers.mapped.files import bundled, load, parse
from der.drivers.mapped.points import Kind, Table
from der.drivers.mapped.steps import Quantity, When
from der.model import DeviceKind, RunState

PAGE = Path(__file__).resolve().parents[3] / "docs" / "modbus-maps.md"


def test_the_page_names_every_key_and_word() -> None:
    text = PAGE.read_text(encoding="utf-8")
    parts = [part for part in vars(schema).values() if _is_part(part)]
    keys = {field.alias or name for part in parts for name, field in part.model_fields.items()}
    words = {str(word) for kind in (Quantity, When, Table, DeviceKind, RunState) for word in kind}
    for word in keys | words | {str(kind) for kind in Kind} - {"bit"}:
        assert re.search(rf"(?<![a-z_]){re.escape(word)}(?![a-z_])", text), word


def test_the_page_lists_what_there_is() -> None:
    rows = re.findall(
        r"^\| `([a-z0-9-]+)` \| (.*) \| (.*) \| (\d+), (\d+) \| (.*) \|$", _page(), re.MULTILINE
    )
    ours = []
    for each in bundled():
        control = load(each.name).control
        ends = "read only" if control is None else str(control.expiry.kind)
        kinds = ", ".join(sorted(each.kinds))
        ours.append((each.name, each.title, kinds, str(each.port), str(each.unit), ends))
    assert rows == ours


def test_the_example_is_right() -> None:
    example = re.findall(r"```toml\n(.*?)```", _page(), re.DOTALL)[1]
    device = parse(example, "example.toml")
    assert device.polled == ("power", "charged")
    assert device.control is not None


def _page() -> str:
    return PAGE.read_text(encoding="utf-8")


def _is_part(part: object) -> bool:
    return isinstance(part, type) and issubclass(part, BaseModel) and part is not BaseModel
