"""The repository of firmware lists on disk: roles, keys, metadata, files.

    FOLDER/
      root.json               what hubs are given to begin with
      keys/NAME.key           private keys, 0600; a role whose key is elsewhere signs elsewhere
      repository/metadata/    static files, served as they are (The Update Framework)
      repository/targets/

The repository's own role (`targets`) says which vendors there are; each vendor signs under
vendors/NAME/ alone, the service provider under approved/. Nothing reaches a hub before it is
published.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec
from securesystemslib.exceptions import KeyMismatchError
from securesystemslib.signer import (  # type: ignore[attr-defined] # re-exported unsaid
    CryptoSigner,
    SSlibKey,
)
from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import (  # type: ignore[attr-defined] # re-exported unsaid
    DelegatedRole,
    Delegations,
    Key,
    Metadata,
    MetaFile,
    Root,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)
from tuf.repository import Repository  # type: ignore[attr-defined] # re-exported unsaid

from certs.keys.store import KeyStore
from certs.pem import write_file
from hems.bulletin import APPROVED, INDEX, VENDORS, Vendors
from hems.headend.errors import HeadEndError

APPROVAL: Final = "approval"
"""The service provider's role."""

_LASTING: Final = {
    Root.type: timedelta(days=365),
    Snapshot.type: timedelta(days=30),
    Timestamp.type: timedelta(days=7),
}
_LASTS: Final = timedelta(days=365)
_HASHES: Final = ["sha256"]

_NAME: Final = "x-hems-key"
"""Field of a key in the metadata: under which name its file lies in `keys`."""

_Any = Metadata[Any]


class FirmwareError(HeadEndError):
    """The repository cannot do what is asked; `str()` is one sentence."""


def vendor_role(vendor: str) -> str:
    """Return the name of a vendor's role."""
    return f"vendor-{vendor}"


class FirmwareRepository(Repository):
    """The repository in a folder.

    Args:
        folder: Where it is.
        now: The time of signing, UTC; the present time where None.
    """

    def __init__(self, folder: Path, now: datetime | None = None) -> None:
        self._folder = folder
        self._metadata = folder / "repository" / "metadata"
        self._targets = folder / "repository" / "targets"
        self._keys = KeyStore()
        self._now = now

    @property
    def root_file(self) -> Path:
        """What hubs are given to begin with."""
        return self._folder / "root.json"

    def key_file(self, name: str) -> Path:
        """Return where a private key lies."""
        return self._folder / "keys" / f"{name}.key"

    # What `tuf.repository.Repository` wants.

    def open(self, role: str) -> _Any:
        """Return a role's newest metadata; a first one where there is none."""
        version = self._newest(role)
        if version:
            try:
                return Metadata[Any].from_file(str(self._file(role, version)))
            except (RepositoryError, OSError) as error:
                raise FirmwareError(f"{self._file(role, version)}: is damaged: {error}") from error
        kinds = {Root.type: Root, Snapshot.type: Snapshot, Timestamp.type: Timestamp}
        made = _Any(kinds.get(role, Targets)())
        made.signed.version = 0  # it becomes 1 as it is written
        return made

    def close(self, role: str, md: _Any) -> None:
        """Write a role's next version, signed by its keys as far as they are here.

        Raises:
            FirmwareError: None, or fewer than must sign, are here.
            CertificateError: It cannot be signed or written.
        """
        md.signed.version += 1
        md.signed.expires = self._until(role)
        md.signatures.clear()
        for name, key in self._keys_of(role, md).items():
            try:
                signer = CryptoSigner(self._keys.signer(self.key_file(name)), key)
            except KeyMismatchError as error:
                raise FirmwareError(
                    f"{self.key_file(name)}: is another key than role {role}'s"
                ) from error
            md.sign(signer, append=True)
        self._check_signed(role, md)
        file = self._file(role, md.signed.version)
        file.parent.mkdir(parents=True, exist_ok=True)
        write_file(file, md.to_bytes(), mode=0o644)
        if role == Root.type:
            write_file(self.root_file, md.to_bytes(), mode=0o644)

    @property
    def targets_infos(self) -> dict[str, MetaFile]:
        """Each targets role's newest version."""
        roles = [Targets.type, *(self._delegations().roles or {})]
        versions = {role: self._newest(role) for role in roles}
        return {f"{role}.json": MetaFile(newest) for role, newest in versions.items() if newest}

    @property
    def snapshot_info(self) -> MetaFile:
        """The snapshot's newest version."""
        return MetaFile(self._newest(Snapshot.type))

    # What the service provider does.

    def make(self, *, root_keys: int, threshold: int) -> None:
        """Make a new repository, with its keys.

        Args:
            root_keys: How many keys the root role has.
            threshold: So many of them must sign.

        Raises:
            FirmwareError: There is one already, or the numbers make no sense.
            CertificateError: A file cannot be written.
        """
        if self._newest(Root.type):
            raise FirmwareError(f"{self._folder}: there is a repository already")
        if not 1 <= threshold <= root_keys:
            raise FirmwareError(f"{threshold} of {root_keys} root keys cannot sign")
        (self._folder / "keys").mkdir(mode=0o700, parents=True, exist_ok=True)
        names = {Root.type: [f"root-{number + 1}" for number in range(root_keys)]}
        names |= {role: [role] for role in (Targets.type, Snapshot.type, Timestamp.type)}
        with self.edit_root() as root:
            for role, keys in names.items():
                for name in keys:
                    root.add_key(self._new_key(name), role)
            root.roles[Root.type].threshold = threshold
        with self.edit_targets() as targets:
            targets.delegations = Delegations(keys={}, roles={})
            _delegate(targets, APPROVAL, f"{APPROVED}/*/*", self._new_key(APPROVAL))
            self._put(targets, INDEX, Vendors().model_dump_json().encode())
        self._begin(APPROVAL)
        self.publish()

    def add_vendor(self, vendor: str, public: ec.EllipticCurvePublicKey | None) -> None:
        """Let a vendor sign; its word counts once the service provider approves it.

        Args:
            vendor: Its name.
            public: Its key, P-256, where it keeps that to itself; one is made here where None.

        Raises:
            FirmwareError: It is known already.
            CertificateError: A file cannot be written.
        """
        role = vendor_role(vendor)
        if vendor in self.vendors:
            raise FirmwareError(f"vendor {vendor} is known already")
        key = self._new_key(role) if public is None else _named(SSlibKey.from_crypto(public), role)
        known = Vendors(vendors=(*self.vendors, vendor))
        with self.edit_targets() as targets:
            _delegate(targets, role, f"{VENDORS}/{vendor}/*", key)
            self._put(targets, INDEX, known.model_dump_json().encode())
        if public is None:
            self._begin(role)

    @property
    def vendors(self) -> Sequence[str]:
        """The vendors, in the order they were added."""
        return [
            name.removeprefix("vendor-")
            for name in self._delegations().roles or {}
            if name != APPROVAL
        ]

    def sign(self, vendor: str, files: Mapping[str, bytes]) -> None:
        """Have a vendor sign files in the place of those of the same names.

        Raises:
            FirmwareError: There is no such vendor, or its key is not here.
            CertificateError: A file cannot be written.
        """
        self._known(vendor)
        with self.edit_targets(vendor_role(vendor)) as targets:
            for name, content in files.items():
                self._put(targets, f"{VENDORS}/{vendor}/{name}", content)

    def approve(self, vendor: str) -> Sequence[str]:
        """Have the service provider sign all that a vendor has signed, and nothing else of it.

        Returns:
            The names of the files.

        Raises:
            FirmwareError: There is no such vendor.
            CertificateError: A file cannot be written.
        """
        self._known(vendor)
        theirs, ours = f"{VENDORS}/{vendor}/", f"{APPROVED}/{vendor}/"
        signed = self.targets(vendor_role(vendor)).targets
        with self.edit_targets(APPROVAL) as targets:
            for path in [each for each in targets.targets if each.startswith(ours)]:
                del targets.targets[path]
            for path, file in signed.items():
                own = ours + path.removeprefix(theirs)
                targets.targets[own] = TargetFile(file.length, dict(file.hashes), own)
        return sorted(path.removeprefix(theirs) for path in signed)

    def approved(self, vendor: str) -> bool:
        """Whether the service provider has signed a vendor's files as they are now."""
        theirs = self._files(vendor_role(vendor), f"{VENDORS}/{vendor}/")
        return theirs == self._files(APPROVAL, f"{APPROVED}/{vendor}/")

    def read(self, vendor: str, name: str) -> bytes | None:
        """Return what a vendor has signed under a name; None for nothing."""
        self._known(vendor)
        path = f"{VENDORS}/{vendor}/{name}"
        file = self.targets(vendor_role(vendor)).targets.get(path)
        return None if file is None else self._stored(path, file).read_bytes()

    def publish(self) -> None:
        """Let hubs see all that was signed, and vouch that this is the newest for another week.

        Raises:
            FirmwareError: The keys of snapshot and timestamp are not here.
            CertificateError: A file cannot be written.
        """
        self.do_snapshot()
        self.do_timestamp(force=True)

    def _delegations(self) -> Delegations:
        found = self.targets().delegations
        if found is None:
            raise FirmwareError(f"{self._folder}: there is no repository; make one first")
        return found

    def _known(self, vendor: str) -> None:
        if vendor not in self.vendors:
            raise FirmwareError(f"there is no vendor {vendor}; add it first")

    def _files(self, role: str, folder: str) -> Mapping[str, tuple[int, Mapping[str, str]]]:
        return {
            path.removeprefix(folder): (file.length, file.hashes)
            for path, file in self.targets(role).targets.items()
            if path.startswith(folder)
        }

    def _new_key(self, name: str) -> SSlibKey:
        return _named(SSlibKey.from_crypto(self._keys.make(self.key_file(name))), name)

    def _begin(self, role: str) -> None:
        """Have a role sign that it says nothing yet."""
        with self.edit_targets(role):
            pass

    def _keys_of(self, role: str, md: _Any) -> Mapping[str, SSlibKey]:
        """Return those keys of a role that are here, by name."""
        found: dict[str, SSlibKey] = {}
        for key in self._role(role, md)[1]:
            name = key.unrecognized_fields.get(_NAME) if isinstance(key, SSlibKey) else None
            if isinstance(key, SSlibKey) and isinstance(name, str) and self.key_file(name).exists():
                found[name] = key
        return found

    def _role(self, role: str, md: _Any) -> tuple[int, Sequence[Key]]:
        """Return how many keys of a role must sign, and the keys."""
        signed = md.signed if isinstance(md.signed, Root) else None
        root = self.root() if signed is None else signed
        delegated = None if role in root.roles else self._delegations()
        if delegated is None:
            holder, keys = root.roles[role], root.keys
        else:
            if role not in (delegated.roles or {}):
                raise FirmwareError(f"the repository has no role {role}")
            holder, keys = (delegated.roles or {})[role], delegated.keys
        return holder.threshold, [keys[each] for each in holder.keyids]

    def _check_signed(self, role: str, md: _Any) -> None:
        threshold, keys = self._role(role, md)
        if len(md.signatures) < threshold:
            raise FirmwareError(
                f"role {role}: {len(md.signatures)} of its {len(keys)} keys are in "
                f"{self._folder / 'keys'}, and {threshold} must sign"
            )

    def _newest(self, role: str) -> int:
        """Return a role's newest version; 0 for none."""
        if role == Timestamp.type:
            file = self._metadata / "timestamp.json"
            return Metadata[Timestamp].from_file(str(file)).signed.version if file.exists() else 0
        ending = f".{role}.json"
        found = (file.name.removesuffix(ending) for file in self._metadata.glob(f"*{ending}"))
        return max((int(each) for each in found if each.isdigit()), default=0)

    def _file(self, role: str, version: int) -> Path:
        named = "timestamp.json" if role == Timestamp.type else f"{version}.{role}.json"
        return self._metadata / named

    def _until(self, role: str) -> datetime:
        now = self._now or datetime.now(UTC)
        return now.replace(microsecond=0) + _LASTING.get(role, _LASTS)

    def _put(self, targets: Targets, path: str, content: bytes) -> None:
        file = TargetFile.from_data(path, content, _HASHES)
        targets.targets[path] = file
        stored = self._stored(path, file)
        stored.parent.mkdir(parents=True, exist_ok=True)
        write_file(stored, content, mode=0o644)

    def _stored(self, path: str, file: TargetFile) -> Path:
        folder, _, name = path.rpartition("/")
        return self._targets / folder / f"{file.hashes['sha256']}.{name}"


def _delegate(targets: Targets, role: str, paths: str, key: SSlibKey) -> None:
    if targets.delegations is not None and targets.delegations.roles is not None:
        targets.delegations.roles[role] = DelegatedRole(
            role, [], 1, terminating=True, paths=[paths]
        )
    targets.add_key(key, role)


def _named(key: SSlibKey, name: str) -> SSlibKey:
    """Write down with a key how its file is called."""
    key.unrecognized_fields[_NAME] = name
    return key
