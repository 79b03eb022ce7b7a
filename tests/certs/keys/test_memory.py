"""Keys in memory, and nowhere else."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from certs.keys.memory import in_memory

pytestmark = pytest.mark.requirement("L2-KEYS")

CRASH = """
import os, sys
from certs.keys.memory import keep_out_of_cores
if sys.argv[1] == "kept":
    keep_out_of_cores()
os.abort()
"""
LIMITS = """
import sys
sys.argv = ["hems", "demo", "--help"]
from hems.__main__ import main
try:
    main()
except SystemExit:
    print(open("/proc/self/limits").read())
"""


def test_a_crash_leaves_no_image_with_keys(tmp_path: Path) -> None:
    _, most = resource.getrlimit(resource.RLIMIT_CORE)

    def crashed(how: str) -> bool:
        """Return whether the kernel says that it has written an image."""
        child = os.fork()
        if child == 0:
            resource.setrlimit(resource.RLIMIT_CORE, (most, most))
            os.chdir(tmp_path)
            os.environ["PYTHONPATH"] = str(Path(__file__).parents[3])
            os.execv(sys.executable, [sys.executable, "-c", CRASH, how])  # noqa: S606 - ourselves
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status)
        return os.WCOREDUMP(status)

    assert not crashed("kept")
    assert list(tmp_path.iterdir()) == []
    if most == resource.RLIM_INFINITY and not crashed("not"):
        pytest.skip("this machine writes no images anyway")


def test_every_command_sees_to_that() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LIMITS], capture_output=True, text=True, check=True, timeout=60
    )
    (line,) = (each for each in done.stdout.splitlines() if each.startswith("Max core file size"))
    assert set(line.split()[4:6]) <= {"0", "1"}


def test_a_file_in_memory_is_gone_with_its_block() -> None:
    with in_memory(b"secret") as place:
        assert place.read_bytes() == b"secret"
        assert place.stat().st_mode & 0o777 == 0o600
    assert not place.exists()
