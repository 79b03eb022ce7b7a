"""The page's view of the API: TypeScript from the API's own description.

`python -m tests.web.schema` writes `web/app/src/api/schema.ts` anew.
"""

import json
import subprocess
import tempfile
from pathlib import Path

from web.openapi import document
from web.parts import all_operations

_ROOT = Path(__file__).resolve().parents[2]
_APP = _ROOT / "web" / "app"
SCHEMA = _APP / "src" / "api" / "schema.ts"
_LIMIT_S = 100
_OPTIONS = (
    "--root-types",  # each model is exported by its name
    "--root-types-no-schema-prefix",
    "--default-non-nullable",  # what has a default may be left out of a body
    "false",
)


def generate() -> str:
    """Return what `schema.ts` has to be; needs Node.js and the page's packages, no network."""
    with tempfile.TemporaryDirectory() as folder:
        described, made = Path(folder, "openapi.json"), Path(folder, "schema.ts")
        described.write_text(json.dumps(document(all_operations())), encoding="utf-8")
        subprocess.run(
            [_ROOT / "packaging" / "npm", "run", "types", "--", described, *_OPTIONS, "-o", made],
            cwd=_APP,
            check=True,
            capture_output=True,
            timeout=_LIMIT_S,
        )
        return made.read_text(encoding="utf-8")


if __name__ == "__main__":
    SCHEMA.write_text(generate(), encoding="utf-8")
