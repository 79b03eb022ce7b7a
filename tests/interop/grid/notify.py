"""Notifications from the utility to its watchers."""

import io
import ssl
import time

import aiohttp

from tests.interop.grid.markup import Element, dressed, el, typed
from tests.interop.grid.record import Exchange
from tests.interop.grid.server import MEDIA, Grid
from tests.interop.grid.tree import Device, Listing

ORDINARY, CANCELLED, MOVED, REDEFINED, DELETED = range(5)


def watching(grid: Grid, path: str, device: Device | None = None) -> Element | None:
    """Return the subscription of a device to a path; None if it has none."""
    for watcher in (device or grid.home).watchers.items:
        resource = watcher.findtext("{*}subscribedResource") or ""
        if resource.removeprefix(grid.base) == path:
            return watcher
    return None


async def notify(
    grid: Grid,
    path: str,
    context: ssl.SSLContext,
    *,
    status: int = ORDINARY,
    with_resource: bool = True,
    device: Device | None = None,
) -> int:
    """Tell the subscriber of a resource; returns the status that it answers.

    Args:
        grid: The utility.
        path: Of the subscribed resource.
        context: The utility's client side of TLS.
        status: Of the notification.
        with_resource: Whether the resource goes along; else it is to be read.
        device: Whose subscription; the home's own if None.
    """
    watcher = watching(grid, path, device)
    assert watcher is not None, f"nobody watches {path}"
    if await grid.tells(path, plainly=status == ORDINARY):
        return 204
    resource = grid.resource(path) if with_resource else None
    if isinstance(resource, Listing):
        resource = resource.page(path, 0, int(watcher.findtext("{*}limit") or "1"))
    uri = watcher.findtext("{*}notificationURI") or ""
    body = dressed(
        el(
            "Notification",
            el("subscribedResource", watcher.findtext("{*}subscribedResource")),
            None if resource is None else typed(resource, "Resource"),
            el("status", status),
            el("subscriptionURI", grid.base + str(watcher.get("href"))),
        ),
        grid.dress,
    )
    at = time.time()
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            uri, data=io.BytesIO(body), headers={"Content-Type": MEDIA}, ssl=context
        ) as answer,
    ):
        text = await answer.read()
        grid.note(
            Exchange(
                at=at,
                method="POST",
                target=uri,
                body=body,
                status=answer.status,
                answer=text,
                headers=dict(answer.headers),
                sender="utility",
                inbound=True,
            )
        )
        return answer.status
