"""Runs the launcher and ends it, as a power cut would, right before its N-th step on the disk.

`python -S killed.py TREE N ARGUMENT...`; without that many steps it ends by itself.
"""

import os
import signal
import sys

STEPS = frozenset(
    {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.symlink", "os.chmod"}
)


def main() -> int:
    tree, last = sys.argv[1], int(sys.argv[2])
    sys.path.insert(0, tree)
    from hems.software import launcher  # noqa: PLC0415 - its place is an argument

    steps = 0

    def step(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal steps
        if event not in STEPS or (event == "open" and str(arguments[0]).endswith((".py", ".pyc"))):
            return
        steps += 1
        if steps == last:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(step)
    return launcher.main(sys.argv[3:])


if __name__ == "__main__":
    sys.exit(main())
