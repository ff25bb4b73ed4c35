"""The devices of a rig: their words, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from nakctl.device.driver import OwnWords
from nakctl.device.instrument import instrument
from nakctl.errors import RigError
from nakctl.rig import is_shipped, load_driver
from nakctl.text.faults import Problem, did_you_mean


class Word(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True, arbitrary_types_allowed=True)


class DeviceWords(Word):
    """One chassis. model: what it is, or, for a simulated one, what it stands in for.

    provider, sdk_path: where its driver takes the maker's library from: a package of that name, or the lab's
    own copy (a folder, or the library itself).
    connections: programs that it lets in at a time, if more or fewer than is known of its kind.
    scatter_seed, habits, trouble: of simulated devices; their driver says what there is.
    options: what else a driver of another package wants to know; it says which words there are.
    """

    driver: str
    model: str
    address: str | None = None
    provider: Literal["easy_biologic", "sdk_path"] | None = None
    sdk_path: str | None = Field(None, min_length=1)
    connections: int | None = Field(None, strict=True, ge=2)
    scatter_seed: int | None = None
    habits: dict[str, bool | float] | None = None
    trouble: list[str] | None = None
    own: dict[str, bool | int | float | str] = Field({}, alias="options", strict=True)

    def options(self) -> dict[str, object]:
        """The words that are the driver's own business, wherever they stand."""
        return {**self.model_dump(exclude={"driver", "model", "own"}, exclude_none=True), **self.own}


def wrong_devices(devices: Mapping[str, DeviceWords], drivers: tuple[str, ...]) -> Iterator[Problem]:
    for name, device in devices.items():
        if device.driver in drivers:
            yield from _own_words(name, device)
        else:
            hint = did_you_mean(device.driver, drivers) or ";"
            text = f"there is no driver {device.driver}{hint} installed are: {', '.join(drivers)}"
            yield Problem(("devices", name, "driver"), text)
        try:
            instrument(device.model)
        except RigError as error:
            yield Problem(("devices", name, "model"), str(error))
        yield from _library(name, device)


def _own_words(name: str, device: DeviceWords) -> Iterator[Problem]:
    """As far as the driver says; ours have none besides those of the rig, and are not loaded for that."""
    for word in device.own:
        if word in DeviceWords.model_fields:
            yield Problem(
                ("devices", name, "options", word), f"{word} stands beside options, not in it", True
            )
    if is_shipped(device.driver) and not device.own:
        return
    driver = load_driver(device.driver)
    if isinstance(driver, OwnWords):
        for word, text in driver.wrong_words(device.options()).items():
            is_beside = word in device.options() and word not in device.own
            loc = ("options", word) if word in device.own else (word,) if is_beside else ()
            yield Problem(("devices", name, *loc), text, bool(loc))
    elif device.own:
        text = f"the driver {device.driver} has no words of its own"
        yield Problem(("devices", name, "options"), text, True)


def _library(name: str, device: DeviceWords) -> Iterator[Problem]:
    """Words that contradict each other about where the library comes from."""
    if device.provider == "sdk_path" and device.sdk_path is None:
        yield Problem(("devices", name, "provider"), "provider sdk_path needs the word sdk_path beside it")
    if device.provider == "easy_biologic" and device.sdk_path is not None:
        yield Problem(("devices", name, "sdk_path"), "sdk_path is not used with provider easy_biologic")
    if "://" in (device.address or "") and (device.provider or device.sdk_path):
        word = "provider" if device.provider else "sdk_path"
        yield Problem(("devices", name, word), f"{device.address} brings its own library")
