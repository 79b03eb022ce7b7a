"""Where the hub's private keys are kept."""

from pathlib import Path
from typing import Self

from pydantic import Field, ValidationInfo, model_validator

from certs.keys.opening import Kind, StoreSettings
from certs.keys.secret import SecretPlace
from hems.settings.section import Section, Text


class KeysSection(Section):
    """The key store; keys that are plain files work with each of them."""

    store: Kind = Kind.PLAIN
    """"plain" files, encrypted files ("file"), a PKCS #11 token ("pkcs11"), or the TPM ("tpm")."""
    secret: Path | None = None
    """File with the secret of encrypted files, or the token's PIN; outside the home's folder."""
    credential: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_.-]{1,64}$")
    """Name of systemd's credential in place of such a file."""
    machine: bool = False
    """Whether encrypted files can be opened on this machine only."""
    module: Path | None = None
    """Shared library of the token's PKCS #11 module."""
    token: Text = "hems"  # noqa: S105 - a label
    """Label of the token."""
    tcti: Text = "device:/dev/tpmrm0"
    """How the TPM is reached, as tpm2-tss writes it."""

    @model_validator(mode="after")
    def _whole(self, info: ValidationInfo) -> Self:
        if self.secret is not None and self.credential is not None:
            raise ValueError("secret and credential are one or the other")
        if self.store is Kind.FILE and self.secret is None and self.credential is None:
            raise ValueError('store "file" needs a secret or a credential')
        if self.store is Kind.PKCS11 and self.module is None:
            raise ValueError('store "pkcs11" needs the token\'s module')
        folder = (info.context or {}).get("folder")
        if self.secret is not None and folder and self.secret.resolve().is_relative_to(folder):
            raise ValueError(
                f"secret: {self.secret} is in the home's folder: whoever has that, or a backup of "
                "it, would have keys and secret; put it elsewhere, /etc/hems/keys.secret say"
            )
        return self

    @property
    def settings(self) -> StoreSettings:
        """The same, as `certs.keys` wants it."""
        secret = None
        if self.secret is not None or self.credential is not None:
            # A PIN is what the token knows, whatever machine it is in.
            machine = self.machine and self.store is Kind.FILE
            secret = SecretPlace(self.secret, self.credential, machine=machine)
        module = "" if self.module is None else str(self.module)
        return StoreSettings(self.store, secret, module, self.token, self.tcti)
