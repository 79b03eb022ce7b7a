"""What every test may use."""

import gc
from collections.abc import Generator

import pytest
from hypothesis import HealthCheck, settings

from tests.examples import SAME, SEARCH, examples

pytest_plugins = ["tests.browser", "tests.mdns", "tests.order", "tests.traceability"]

# `make test` judges a change, so it tries the same examples each time; `make test-deep` looks for
# new ones (--hypothesis-profile=search). How fast an example is says something of the machine only.
settings.register_profile(
    SAME,
    derandomize=True,
    deadline=None,
    max_examples=examples(100),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(SEARCH, max_examples=300, deadline=None)
settings.load_profile(SAME)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Keep Python's garbage collector from what collecting leaves for the whole run.

    Ten thousand tests are a million objects, which it would otherwise walk through again and again:
    a third of the time of collecting, and some of each test.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()
