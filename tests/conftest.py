"""What every test may use."""

from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.browser", "tests.traceability"]

# `make test` judges a change, so it tries the same examples each time; `make test-deep` looks for
# new ones (--hypothesis-profile=search). How fast an example is says something of the machine only.
settings.register_profile(
    "same", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("search", max_examples=300, deadline=None)
settings.load_profile("same")
