"""The owner's direct wish over the API."""

import pytest

from tests.web.conftest import Served

pytestmark = pytest.mark.requirement("L1-OWNER", "ROLE-UI")


async def test_a_wish_is_taken_and_ended(served: Served) -> None:
    device = served.home.now.devices[0]
    await served.home.change_device(device)
    path = f"/api/devices/{device.id}/wish"
    async with served.client.post(path, json={"power_w": device.min_w, "seconds": 600}) as answer:
        assert answer.status == 204
    assert served.home.device(device.id).wish_until == served.clock.at + 600
    until = served.clock.at + 60
    async with served.client.post(path, json={"power_w": device.min_w, "until": until}) as answer:
        assert answer.status == 204
    async with served.client.get("/api/home") as answer:
        shown = {d["id"]: d for d in (await answer.json())["devices"]}
    assert shown[device.id]["wish_until"] == until
    async with served.client.delete(path) as answer:
        assert answer.status == 204
    assert served.home.device(device.id).wish_w is None


@pytest.mark.parametrize(
    ("path", "body", "status", "words"),
    [
        ("boat", b'{"power_w": 0, "seconds": 9}', 404, "no device 'boat'"),
        ("", b'{"power_w": 1e12, "seconds": 9}', 400, "does not run at"),
        ("", b'{"power_w": 0}', 400, "either until or seconds"),
        ("", b'{"power_w": 0, "seconds": 9, "until": 9}', 400, "either until or seconds"),
        ("", b'{"power_w": "0", "seconds": 9}', 400, "Power wanted: "),
        ("", b'{"power_w": NaN, "seconds": 9}', 400, "Power wanted: "),
        ("", b'{"power_w": 0, "seconds": -1}', 400, "Duration: "),
        ("", b'{"power_w": 0, "seconds": 9, "x": 1}', 400, "x: "),
        ("", b"{", 400, "nvalid JSON"),
        ("", b"", 400, "nvalid JSON"),
    ],
)
async def test_what_makes_no_sense_is_one_sentence(
    served: Served, path: str, body: bytes, status: int, words: str
) -> None:
    device = path or served.home.now.devices[0].id
    async with served.client.post(f"/api/devices/{device}/wish", data=body) as answer:
        assert answer.status == status
        assert words in (await answer.json())["error"]
    assert served.home.wishes == []
