"""What naming a description spares its owner."""

from hems.commands.device_ask import ask
from hems.settings.devices_file import Value
from hems.setup.device_map import choice, told_of


def test_a_description_of_ours_says_where_and_what() -> None:
    found = told_of({"driver": "modbus", "map": "keba-p30"})
    assert found == {"map": "keba-p30", "port": 502, "unit": 255, "kind": "evse"}
    assert "kind" not in told_of({"driver": "modbus", "map": "relay-board"})
    assert told_of({"driver": "modbus", "map": "own.toml"}) == {"map": "own.toml"}
    assert told_of({"driver": "sunspec", "map": "keba-p30"}) == {}
    assert "sg-ready" in choice()


def test_it_is_asked_for_and_what_was_given_stays() -> None:
    asked: list[str] = []

    def answer(question: str) -> str:
        asked.append(question)
        return {"Its des": "solaredge-inverter", "Most po": "5 kW"}.get(question[:7], "")

    given: dict[str, Value] = {"kind": "pv", "driver": "modbus", "host": "pv.local", "unit": 7}
    found = ask(given, answer)
    assert (found["map"], found["port"], found["unit"]) == ("solaredge-inverter", 1502, 7)
    assert not any("port" in question for question in asked)
