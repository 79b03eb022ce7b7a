"""How the people of the house are told while no page is open."""

from pathlib import Path

from pydantic import Field

from hems.settings.section import Section


class PushSection(Section):
    """Messages to the phones of the house, through their browsers' push services."""

    enabled: bool = True
    """Whether browsers may subscribe; without the page on the home's network only this machine's
    can."""
    contact: str = Field(
        default="mailto:hub@hems.invalid", pattern=r"^(mailto:[^@\s]+@[^@\s]+|https://\S+)$"
    )
    """Where the operator of a push service reaches who runs this hub: mailto: or https:."""
    private_services: bool = False
    """Whether push services at private addresses are spoken to: for one that runs in the house."""
    trust: Path | None = None
    """Root certificates of such a service, PEM; the system's without it."""
