"""How the hub shows itself to the enterprise, by its configuration."""

from typing import Final

from certs.pem import read_certificates, read_crls
from certs.tls import SepContext
from hems import wiring
from hems.emg.feeds.line import secured
from hems.emg.feeds.reader import Believed
from hems.emg.firmware.tuf_place import Place
from hems.settings.config import Config
from hems.settings.toml_file import ConfigError
from hems.settings.utility_section import UtilitySection

_URL: Final = "https://folder.invalid"
"""What the repository in a folder is called."""


def utility_of(config: Config, name: str | None) -> UtilitySection:
    """Return the utility whose certificate is shown.

    Raises:
        ConfigError: There is none.
    """
    for utility in config.utility:
        if name is None or utility.name == name:
            return utility
    raise ConfigError("there is no utility whose certificate could be shown to the enterprise")


def context_of(config: Config, name: str | None) -> SepContext:
    """Return the TLS context of a line to the enterprise; it may block.

    Raises:
        ConfigError: There is no utility of this name.
        CertificateError: A file cannot be used.
    """
    identity, trust = wiring.identity_files(config, utility_of(config, name))
    return secured(identity, trust)


def believed(config: Config) -> Believed:
    """Return whose bulletins count, as the files stand now.

    Raises:
        ConfigError: There is no utility of this name.
        CertificateError: A file cannot be used.
    """
    utility = utility_of(config, config.feeds.utility)
    roots = read_certificates(config.feeds.trust or utility.trust)
    return Believed(roots, read_crls(utility.crls))


def place_of(config: Config) -> Place | None:
    """Return where firmware lists come from; None where none are configured.

    Raises:
        CertificateError: A file cannot be used.
    """
    section = config.firmware
    folder = config.store.path.with_name("firmware")
    if section.root is None:
        return None
    if section.url is None:
        return Place(_URL, section.root, folder, None, source=section.folder)
    return Place(section.url, section.root, folder, context_of(config, section.utility))
