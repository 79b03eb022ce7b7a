"""Pytest plugin: which test files begin first.

Files are dealt out to several workers whole, those of tests/e2e test by test. A long one that
begins last leaves all but one worker idle, so what takes long stands here, the longest first.
"""

from typing import Final

import pytest

FIRST: Final = (
    "tests/security/test_matrix.py",
    "tests/hems/commands/test_device_commands.py",
    "tests/scenarios/test_scenarios.py",
    "tests/hems/headend/console/test_console_page.py",
    "tests/hems/headend/test_headend_bad_orders.py",
    "tests/hems/regulation/test_at_work.py",
    "tests/web/test_history_page.py",
    "tests/web/test_pages_fit.py",
    "tests/mqtt/test_faults.py",
    "tests/faults/test_bad_orders.py",
    "tests/faults/test_certificates.py",
    "tests/hems/headend/upstream/test_upstream_events.py",
    "tests/netfaults/test_bad_lines.py",
    "tests/faults/test_fault_matrix.py",
    "tests/hems/commands/test_demo.py",
    "tests/faults/test_full_disks.py",
    "tests/faults/test_ports_in_use.py",
    "tests/interop/test_py20305_program.py",
    "tests/web/test_phone_page.py",
    "tests/web/test_setup_page.py",
    "tests/web/test_devices_page.py",
    "tests/web/test_page.py",
    "tests/der/sim/test_sim_charger.py",
    "tests/hems/cem/test_slope_loop.py",
    "tests/conformance/test_devices_noon.py",
    "tests/conformance/test_devices_evening.py",
    "tests/e2e/test_first_start.py",
    "tests/e2e/test_enrolment.py",
    "tests/e2e/test_slope.py",
    "tests/e2e/test_island.py",
    "tests/e2e/test_reserve.py",
    "tests/e2e/test_page_devices.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests of the files named above before all others, in their order."""
    rank = {path: number for number, path in enumerate(FIRST)}
    items.sort(key=lambda item: rank.get(item.nodeid.partition("::")[0], len(FIRST)))
