"""A scripted utility that keeps several end devices, as for a gateway or an aggregator."""

import hashlib
from dataclasses import replace

from certs.identity import sfdi
from hems.sep2 import resources as res
from hems.sep2.enddevice.registration import Identity
from tests.hems.sep2.utility import PIN, Utility

SHARED = "/derp"


def lfdi_of(name: str) -> str:
    """Return the LFDI of a device that has no certificate of its own."""
    return hashlib.sha256(name.encode()).hexdigest()[:40].upper()


def identity(name: str, pin: int | None = PIN) -> Identity:
    return Identity(lfdi_of(name), sfdi(lfdi_of(name)), pin)


class Fleet(Utility):
    """A utility with as many end devices as are enrolled, or register themselves."""

    def enrol(
        self,
        lfdi: str,
        *,
        pin: int = PIN,
        lists: tuple[str, ...] = (SHARED,),
        clock: str = "/tm",
        registered: bool = True,
    ) -> str:
        """Add an end device that takes part in programme lists; returns its path."""
        devices = self.resources["/edev"]
        assert isinstance(devices, res.EndDeviceList)
        path = f"/edev/{len(devices.end_device) + 1}"
        self.resources[f"{path}/rg"] = res.Registration(
            href=f"{path}/rg", date_time_registered=0, pin=pin
        )
        assignments = tuple(
            res.FunctionSetAssignments(
                href=f"{path}/fsa/{place}",
                mrid=f"F{place}",
                time_link=res.Link(href=clock),
                der_program_list_link=res.Link(href=programs, all=1),
            )
            for place, programs in enumerate(lists)
        )
        self.resources[f"{path}/fsa"] = res.FunctionSetAssignmentsList(
            href=f"{path}/fsa",
            all=len(assignments),
            results=len(assignments),
            poll_rate=self.poll_s,
            function_set_assignments=assignments,
        )
        self.resources[f"{path}/der"] = res.DERList(
            href=f"{path}/der",
            all=1,
            results=1,
            der=(
                res.DER(
                    href=f"{path}/der/1",
                    der_status_link=res.Link(href=f"{path}/der/1/ders"),
                    der_capability_link=res.Link(href=f"{path}/der/1/dercap"),
                ),
            ),
        )
        device = res.EndDevice(
            href=path,
            lfdi=lfdi,
            sfdi=sfdi(lfdi),
            changed_time=0,
            registration_link=res.Link(href=f"{path}/rg") if registered else None,
            function_set_assignments_list_link=res.Link(href=f"{path}/fsa", all=1),
            der_list_link=res.Link(href=f"{path}/der", all=1),
        )
        self.append("/edev", device)
        self.resources[path] = device
        return path

    def programmes(self, path: str, mrid: str, primacy: int = 5) -> str:
        """Add a DERProgramList with one programme; returns the path of its controls."""
        program = res.DERProgram(
            href=f"{path}/1",
            mrid=mrid,
            description=f"Programme {mrid}",
            primacy=primacy,
            der_control_list_link=res.Link(href=f"{path}/1/derc", all=0),
        )
        self.resources[path] = res.DERProgramList(
            href=path, all=1, results=1, poll_rate=self.poll_s, der_program=(program,)
        )
        self.resources[f"{path}/1/derc"] = res.DERControlList(
            href=f"{path}/1/derc", all=0, results=0, subscribable=1
        )
        return f"{path}/1/derc"

    def alter(self, lfdi: str, **changes: object) -> None:
        """Change fields of an end device in the list."""
        devices = self.resources["/edev"]
        assert isinstance(devices, res.EndDeviceList)
        altered = tuple(
            replace(d, **changes) if d.lfdi == lfdi else d  # type: ignore[arg-type]  # by name
            for d in devices.end_device
        )
        self.change("/edev", end_device=altered)

    def strike(self, lfdi: str) -> None:
        """Take an end device off the list."""
        devices = self.resources["/edev"]
        assert isinstance(devices, res.EndDeviceList)
        left = tuple(d for d in devices.end_device if d.lfdi != lfdi)
        self.change("/edev", end_device=left, all=len(left))

    def _keep(self, path: str, resource: res.Resource) -> str:
        if isinstance(resource, res.EndDevice):
            return self.enrol(resource.lfdi or "")
        return super()._keep(path, resource)

    @property
    def told(self) -> list[tuple[str, str, int | None]]:
        """The responses in order: device, subject, status."""
        return [(r.end_device_lfdi, r.subject, r.status) for r in self.posted("/rsp")]
