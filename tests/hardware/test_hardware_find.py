"""What the vendor's finder says, and what it means."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from nakctl.device.inspection import Found
from nakctl_biologic.driver import driver
from nakctl_biologic.find import model_of, parse

ETHERNET = "Ethernet$192.109.209.128$192.109.209.1$255.255.255.0$00:14:D8:01:02:03$1$SP-300$0815$Glovebox 2"
USB = "USB$0$BioLogic$x$VMP3$4711"


def test_an_answer_with_two_instruments() -> None:
    assert parse(f"{ETHERNET}%{USB}%") == (
        Found("192.109.209.128", "SP-300", "SP-300", "ethernet", "0815", "Glovebox 2"),
        Found("USB0", "VMP3", "VMP-3", "usb", "4711"),
    )


@pytest.mark.parametrize("text", ["", "%", "   %", "Ethernet$1.2.3.4%", "USB$0%", "Serial$a$b$c$d$e$f$g$h%"])
def test_what_is_not_understood_is_left_out(text: str) -> None:
    assert parse(text) == ()


MODELS = [
    ("SP-300", "SP-300"),
    ("VMP3", "VMP-3"),
    ("SP-200", "SP-300"),
    ("VSP300", "SP-300"),
    ("VMP-3e", "VMP-3"),
    ("MPG2", "VMP-3"),
    ("toaster", ""),
    (None, ""),
]


@pytest.mark.parametrize(("kind", "model"), MODELS)
def test_a_kind_without_data_of_its_own_takes_those_of_its_family(kind: str | None, model: str) -> None:
    assert model_of(kind) == model


ADDRESSES = [
    ("192.109.209.128", True),
    ("USB0", True),
    ("usb12", True),
    ("sim://127.0.0.1:5025", True),
    ("nosuch://127.0.0.1", False),
    ("glovebox-2", False),
    ("192.109.209", False),
    ("USB", False),
]


@pytest.mark.parametrize(("address", "ours"), ADDRESSES)
def test_an_address_is_told_from_a_name(address: str, ours: bool) -> None:
    assert driver.takes(address) is ours  # type: ignore[attr-defined]


def test_the_instrument_itself_is_asked(virtual: Callable[..., str]) -> None:
    address = virtual("VMP-3")
    found = driver.identify({"address": address})  # type: ignore[attr-defined]
    assert found == Found(address, "VMP-3", "VMP-3", "sim", channels=(1, 2, 4))


def test_a_search_goes_through_the_finder(virtual: Callable[..., str]) -> None:
    (found,) = driver.discover({"address": virtual()})  # type: ignore[attr-defined]
    assert found.link == "ethernet"
