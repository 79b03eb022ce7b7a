"""The hub's own key towards its utility, and what it asks a certificate for it with.

identity/request.key    made once, on the hub; it never leaves it
identity/pin            the registration PIN that goes with it
identity/utility-N/     what the utility answered with, each time in a folder of its own
"""

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from certs.errors import CertificateError
from certs.identity import lfdi, make_pin, pin_valid, sfdi
from certs.issue import new_key
from certs.pem import der, read_certificates, read_signing_key, write_file, write_key
from hems.on_demand import on_demand
from hems.setup.belonging import IDENTITY

if TYPE_CHECKING:
    import segno
else:  # for the day on which a utility is told who the home is
    segno = on_demand("segno")

_KEY: Final = "request.key"
_PIN: Final = "pin"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the home is to its utility.

    Attributes:
        lfdi: Long form of its certificate's identifier; empty while it has none.
        sfdi: Short form, decimal; empty while there is none.
        pin: Registration PIN.
    """

    lfdi: str
    sfdi: str
    pin: str

    @property
    def text(self) -> str:
        """All of it, as an installer or a utility reads it."""
        lines = {"LFDI": self.lfdi, "SFDI": self.sfdi, "PIN": self.pin}
        return "\n".join(f"{name}: {value}" for name, value in lines.items() if value)

    @property
    def picture(self) -> bytes:
        """The text as a QR code, SVG; black on white, since scanners want it so."""
        out = BytesIO()
        code = segno.make(self.text, error="m", micro=False)
        code.save(out, kind="svg", scale=6, border=4, light="#ffffff", xmldecl=False)
        return out.getvalue()


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The folder of the hub's own keys.

    Attributes:
        home: The home's folder.
    """

    home: Path

    @property
    def folder(self) -> Path:
        """Where they are."""
        return self.home / IDENTITY

    @property
    def key(self) -> Path:
        """The hub's private key, whether or not it is there yet."""
        return self.folder / _KEY

    def prepare(self) -> None:
        """Make key and PIN where there are none yet.

        Raises:
            CertificateError: They cannot be written.
        """
        try:
            self.folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise CertificateError(f"{self.folder}: cannot be made: {error.strerror}") from error
        if not self.key.exists():
            write_key(self.key, new_key())
        if not (self.folder / _PIN).exists():
            write_file(self.folder / _PIN, make_pin().encode(), mode=0o600)

    def pin(self) -> str:
        """Return the registration PIN.

        Raises:
            CertificateError: There is none, or it is damaged.
        """
        path = self.folder / _PIN
        try:
            found = path.read_text(encoding="ascii").strip()
        except (OSError, ValueError) as error:
            raise CertificateError(f"{path}: cannot be read") from error
        if not pin_valid(found):
            raise CertificateError(f"{path}: is no PIN")
        return found

    def request(self, name: str) -> bytes:
        """Return the request for a certificate (PKCS #10, PEM).

        Args:
            name: What the hub is called in it.

        Raises:
            CertificateError: There is no key, or it is damaged.
        """
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])
        builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
        signed = builder.sign(read_signing_key(self.key), hashes.SHA256())
        return signed.public_bytes(Encoding.PEM)

    def next_folder(self) -> Path:
        """Return a new folder for what a utility answers with."""
        taken = [int(p.name.rpartition("-")[2]) for p in self.folder.glob("utility-[0-9]*")]
        return self.folder / f"utility-{max(taken, default=0) + 1}"


def identity_of(certificate: Path, pin: str) -> Identity:
    """Return who a certificate says that the home is.

    Raises:
        CertificateError: It is missing or damaged.
    """
    own = lfdi(der(read_certificates(certificate)[0]))
    return Identity(own, str(sfdi(own)), pin)
