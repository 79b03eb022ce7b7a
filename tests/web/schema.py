"""The pages' view of their APIs: TypeScript from each API's own description.

`python -m tests.web.schema` writes `schema.ts` of the homeowner's page and of the console anew.
"""

import asyncio
import json
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tests.hems.headend.console.described import described
from web.openapi import document
from web.parts import all_operations

_ROOT = Path(__file__).resolve().parents[2]
_APP = _ROOT / "web" / "app"
SCHEMA = _APP / "src" / "api" / "schema.ts"
CONSOLE_SCHEMA = _APP / "console" / "src" / "api" / "schema.ts"
_LIMIT_S = 100
_OPTIONS = (
    "--root-types",  # each model is exported by its name
    "--root-types-no-schema-prefix",
    "--default-non-nullable",  # what has a default may be left out of a body
    "false",
)


def generate() -> str:
    """Return what the page's `schema.ts` has to be."""
    return typescript(document(all_operations()))


def typescript(api: Mapping[str, object]) -> str:
    """Return the types of a described API; needs Node.js and the page's packages, no network."""
    with tempfile.TemporaryDirectory() as folder:
        told, made = Path(folder, "openapi.json"), Path(folder, "schema.ts")
        told.write_text(json.dumps(api), encoding="utf-8")
        subprocess.run(
            [_ROOT / "packaging" / "npm", "run", "types", "--", told, *_OPTIONS, "-o", made],
            cwd=_APP,
            check=True,
            capture_output=True,
            timeout=_LIMIT_S,
        )
        return made.read_text(encoding="utf-8")


if __name__ == "__main__":
    SCHEMA.write_text(generate(), encoding="utf-8")
    CONSOLE_SCHEMA.write_text(typescript(asyncio.run(described())), encoding="utf-8")
