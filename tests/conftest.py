"""What every test may use."""

from hypothesis import settings

pytest_plugins = ["tests.browser", "tests.traceability"]

# `make test` judges a change, so it tries the same examples each time; `make test-deep` looks for
# new ones (--hypothesis-profile=search).
settings.register_profile("same", derandomize=True)
settings.register_profile("search", max_examples=300)
settings.load_profile("same")
