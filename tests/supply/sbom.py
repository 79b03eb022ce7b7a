"""The list of parts as CycloneDX 1.6, the same octets for the same lock files and commit.

`python -m tests.supply.sbom` (`make sbom`) writes `build/hems-VERSION.cdx.json`, and brings
`docs/security/sbom.md` and `docs/security/adopted.json` up to date.
"""

import json
import os
import subprocess
import tomllib
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from cyclonedx.contrib.hash.factories import HashTypeFactory
from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import ExternalReference, ExternalReferenceType, Property, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.model.license import LicenseAcknowledgement
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from tests.supply import adopted, page
from tests.supply.adopted import Adopted
from tests.supply.parts import PROJECT, ROOT, Part, Use, all_parts

_SCOPES: Final = {
    Use.SHIPPED: ComponentScope.REQUIRED,
    Use.OPTIONAL: ComponentScope.OPTIONAL,
    Use.TOOL: ComponentScope.EXCLUDED,
}
_NAMESPACE: Final = uuid.UUID("6f3a1d5e-2f0c-5c8b-9a57-3f5f0f6f7a11")
"""Of serial numbers, which are made of what the list says."""


def sbom(parts: Sequence[Part], since: Adopted, at: datetime) -> str:
    """Return the list as JSON, sorted.

    Args:
        parts: What is in it.
        since: When each came into the lock file.
        at: The time that it bears, UTC.
    """
    project = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    own = Component(
        name=project["name"],
        version=project["version"],
        type=ComponentType.APPLICATION,
        bom_ref=f"pkg:generic/{project['name']}@{project['version']}",
        description=project["description"],
        licenses=[LicenseFactory().make_from_string(project["license"])],
    )
    made = {(p.ecosystem, p.name, p.version): _component(p, since) for p in parts}
    bom = Bom(components=made.values())
    bom.metadata.component = own
    bom.metadata.timestamp = at
    bom.register_dependency(own, [made[p.ecosystem, p.name, p.version] for p in parts if p.direct])
    for part in parts:
        below = made[part.ecosystem, part.name, part.version]
        for (ecosystem, name, _), above in made.items():
            if ecosystem is part.ecosystem and name in part.needed_by:  # in whichever version
                bom.register_dependency(above, [below])
    return _written(bom)


def _component(part: Part, since: Adopted) -> Component:
    group, _, name = part.name.rpartition("/")
    purl = PackageURL(part.ecosystem.value, group or None, name, part.version)
    licences = LicenseFactory().make_from_string(
        part.licence, license_acknowledgement=LicenseAcknowledgement.DECLARED
    )
    files = ExternalReference(
        type=ExternalReferenceType.DISTRIBUTION,
        url=XsUri(purl.to_string()),
        comment="each file that may be installed has one of these hashes",
        hashes=[HashTypeFactory().from_composite_str(_composite(*each)) for each in part.hashes],
    )
    return Component(
        name=name,
        group=group or None,
        version=part.version,
        type=ComponentType.LIBRARY,
        bom_ref=purl.to_string(),
        purl=purl,
        scope=_SCOPES[part.use],
        licenses=[licences] if part.licence else [],
        external_references=[files] if part.hashes else [],
        properties=[Property(name="hems:in-lock-since", value=since[adopted.key(part)])],
    )


def _composite(algorithm: str, digits: str) -> str:
    return f"{algorithm.replace('SHA-', 'sha')}:{digits}"


def _written(bom: Bom) -> str:
    """Return it as text that depends on nothing but what it says."""
    bom.serial_number = _NAMESPACE
    document: dict[str, Any] = json.loads(JsonV1Dot6(bom).output_as_string())
    del document["serialNumber"]
    document["metadata"].pop("tools", None)
    digest = uuid.uuid5(_NAMESPACE, json.dumps(document, sort_keys=True))
    document["serialNumber"] = f"urn:uuid:{digest}"
    return json.dumps(document, indent=2, sort_keys=True) + "\n"


def time_of(environment: str | None, root: Path = ROOT) -> datetime:
    """Return the time that a list bears: SOURCE_DATE_EPOCH, else that of the last commit.

    Raises:
        ValueError: SOURCE_DATE_EPOCH is no number.
        OSError: There is neither it nor a commit.
    """
    if environment is None:
        asked = ["git", "-C", str(root), "log", "-1", "--format=%ct"]
        told = subprocess.run(asked, check=False, capture_output=True, text=True, timeout=20)
        if told.returncode != 0:
            raise OSError("set SOURCE_DATE_EPOCH: here is no commit whose time could be taken")
        environment = told.stdout
    return datetime.fromtimestamp(int(environment), UTC)


def main() -> None:
    """Write all three."""
    parts = all_parts()
    at = time_of(os.environ.get("SOURCE_DATE_EPOCH"))
    since = adopted.brought_up(adopted.read(), parts, at.date())
    adopted.write(since)
    page.FILE.write_text(page.render(parts, since, page.reasons()), encoding="utf-8")
    version = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]["version"]
    target = ROOT / "build" / f"hems-{version}.cdx.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(sbom(parts, since, at), encoding="utf-8")
    shipped = sum(part.use is not Use.TOOL for part in parts)
    print(f"{target.relative_to(ROOT)}: {len(parts)} parts, {shipped} of them in a hub or its page")


if __name__ == "__main__":
    main()
