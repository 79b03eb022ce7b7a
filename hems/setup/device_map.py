"""What a description of a Modbus device tells before the device is asked anything."""

from collections.abc import Mapping

from der.drivers.mapped.files import bundled, names
from der.registry import Driver
from hems.settings.devices_file import Value


def choice() -> str:
    """Return the question for a device's description, with what comes with the product."""
    return f"Its description, or a file of your own ({', '.join(names())})"


def told(text: str) -> Mapping[str, Value]:
    """Return what naming a description says of a device: where its maker put it, what it is."""
    for ours in bundled():
        if ours.name == text:
            known: dict[str, Value] = {"map": text, "port": ours.port}
            if ours.unit != 1:  # as the configuration has it anyway
                known["unit"] = ours.unit
            if len(ours.kinds) == 1:
                known["kind"] = str(*ours.kinds)
            return known
    return {"map": text}


def told_of(table: Mapping[str, Value]) -> Mapping[str, Value]:
    """Return the same of a section that has a description; nothing of any other."""
    if table.get("driver") != Driver.MODBUS or "map" not in table:
        return {}
    return told(str(table["map"]))
