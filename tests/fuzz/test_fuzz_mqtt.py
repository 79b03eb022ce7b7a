"""What the fuzzer of MQTT payloads found, and a short run of its mutator, in every test run."""

import random
from pathlib import Path

import pytest

from tests.fuzz.corpus import kept
from tests.fuzz.mqtt_seeds import mutated, seeds
from tests.fuzz.mqtt_target import DEVICES, examine

pytestmark = [pytest.mark.requirement("LC-TEST"), pytest.mark.requirement("PRO-IP")]

KEPT = Path(__file__).with_name("corpus_mqtt.txt")


def test_what_was_found_by_fuzzing_breaks_no_promise() -> None:
    inputs = kept(KEPT)
    assert len(inputs) > 50
    outcomes = {examine(data) for data in inputs}
    assert len(outcomes) > 30, "inputs that all do the same show nothing"


def test_changed_messages_break_no_promise() -> None:
    rng = random.Random(1883)  # noqa: S311 - the same changes in each run
    outcomes = set()
    for data in seeds():
        outcomes.add(examine(data))
        outcomes.add(examine(mutated(data, rng)))
    assert len(outcomes) > 3 * len(DEVICES)
