"""`python -m web` prints the description of the API, OpenAPI 3.1, for whom no hub runs."""

import json
import sys

from web.openapi import document
from web.parts import all_operations

if __name__ == "__main__":
    json.dump(document(all_operations()), sys.stdout, indent=1)
