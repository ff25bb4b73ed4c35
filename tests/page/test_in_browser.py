"""Report and live page as a browser shows them: one session, a few minutes of a person's work."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hostile
import pytest
from browser import browser, complaints
from command_line import nakctl
from patience import until
from serving import Serving
from short_run import SHORT

# A run that goes on until it is stopped.
LONG = SHORT.replace("rest: 20 s", "rest: 1 h").replace("A short run", "'<b>Long</b> $$x$$'")
DARK, LIGHT = "rgb(20, 23, 28)", "rgb(255, 255, 255)"


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with browser(tmp_path_factory.mktemp("chromium")) as found:
        yield found


@pytest.fixture(scope="module")
def report(path: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    page = tmp_path_factory.mktemp("report") / "run.html"
    assert nakctl("report", path, "-o", page, cwd=page.parent).code == 0
    return page.as_uri()


def is_drawn(driver: Any) -> bool:
    return bool(driver.execute_script("return document.documentElement.classList.contains('drawn')"))


def text(driver: Any, id_: str) -> str:
    return str(driver.find_element("id", id_).text)


def media(driver: Any, **features: str) -> None:
    told = [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": told})


def colour_at(driver: Any, figure: str) -> str:
    script = f"return nakctl.documents.get('{figure}').roots()[0].renderers[0].glyph.line_color.value"
    return str(driver.execute_script(script))


def test_a_report(driver: Any, report: str) -> None:
    driver.get(report)
    until(lambda: is_drawn(driver))
    assert complaints(driver) == []
    assert "gotcha" in driver.title  # it is the name of the run; the page itself was not changed by it
    assert driver.title.startswith("SIMULATED")
    shown = driver.find_element("tag name", "main").text
    for name in (hostile.SCRIPT, hostile.IMAGE, hostile.ENTITY):
        assert name in shown
    _goes_through_spectra(driver)
    _is_light_and_dark(driver)
    _fits_a_phone(driver)
    assert complaints(driver) == []


def _goes_through_spectra(driver: Any) -> None:
    script = "return Array.from(nakctl.documents.get('spectra').get_model_by_name('spectra-0-1').data.x)"
    second = driver.execute_script(script)
    assert "spectrum 2" in driver.find_element("css selector", ".spectra output").text
    move = (
        "const s = document.querySelector('.spectra input'); s.value = 0; s.dispatchEvent(new Event('input'))"
    )
    driver.execute_script(move)
    first = driver.execute_script(script)
    assert "spectrum 1" in driver.find_element("css selector", ".spectra output").text
    assert second == pytest.approx([2 * each for each in first], rel=1e-5)


def _is_light_and_dark(driver: Any) -> None:
    ground = "return getComputedStyle(document.body).backgroundColor"
    media(driver, prefers_color_scheme="light")
    until(lambda: driver.execute_script(ground) == LIGHT and colour_at(driver, "time") == "#0072b2")
    media(driver, prefers_color_scheme="dark")
    until(lambda: driver.execute_script(ground) == DARK and colour_at(driver, "time") == "#4aa8e0")
    assert len(driver.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})["data"]) > 20_000
    until(lambda: colour_at(driver, "time") == "#4aa8e0")  # as it was before it was printed
    assert not driver.find_elements("css selector", ".on-paper")


def _fits_a_phone(driver: Any) -> None:
    phone = {"width": 360, "height": 740, "deviceScaleFactor": 1, "mobile": True}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
    until(lambda: driver.execute_script("return document.documentElement.scrollWidth") <= 360)
    driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_a_run_that_is_watched_and_stopped(driver: Any, tmp_path: Path) -> None:
    (tmp_path / "long.yaml").write_text(LONG, encoding="utf-8")
    begin = ("run", "long.yaml", "--out", "x.h5", "--speed", "20", "--detach", "--quiet")
    assert nakctl(*begin, cwd=tmp_path).code == 0
    with Serving(".", "--control", cwd=tmp_path, data=tmp_path / "data") as server:
        driver.get(server.url)
        until(lambda: driver.find_elements("css selector", ".card h2 a"))
        driver.switch_to.new_window("tab")  # two of them look
        driver.get(server.url)
        until(lambda: driver.find_elements("css selector", ".card h2 a"))
        _stays_what_it_is(driver)
        driver.find_element("css selector", ".card h2 a").click()
        until(lambda: is_drawn(driver) and len(_curve(driver)) > 3)
        assert text(driver, "title") == "<b>Long</b> $$x$$"
        assert complaints(driver) == []
        _loses_its_server(driver, server)
    with Serving(".", "--control", cwd=tmp_path, data=tmp_path / "data", port=server.port):
        until(lambda: not driver.find_element("id", "lost").is_displayed())
        complaints(driver)  # of the time without a server
        driver.find_element("id", "stop").click()
        driver.find_element("id", "leave-it").click()
        assert text(driver, "asked") == ""
        driver.find_element("id", "stop").click()
        driver.find_element("id", "stop-it").click()
        until(lambda: "its report" in text(driver, "over"))
        assert "stopped by" in text(driver, "over")
        driver.find_element("link text", "its report").click()
        until(lambda: is_drawn(driver))
        assert "Look at this first" in driver.find_element("tag name", "main").text
        driver.switch_to.window(driver.window_handles[0])
        until(lambda: "Long" in text(driver, "ended"))
        assert not driver.find_elements("css selector", ".card")
        assert [each for each in complaints(driver) if "ERR_CONNECTION" not in each] == []


def _stays_what_it_is(driver: Any) -> None:
    """What is clicked at is not put anew as the numbers beside it change."""
    link = driver.find_element("css selector", ".card h2 a")
    before = driver.find_element("css selector", ".card").text
    until(lambda: driver.find_element("css selector", ".card").text != before)
    assert link.is_displayed()


def _curve(driver: Any) -> list[float]:
    found: list[float] = driver.execute_script(
        "return Array.from(nakctl.documents.get('curves').get_model_by_name('curves-0-0').data.x)"
    )
    return found


def _loses_its_server(driver: Any, server: Serving) -> None:
    server.process.send_signal(signal.SIGKILL)
    server.process.wait()
    until(lambda: "connection to nakctl serve is lost" in text(driver, "lost"))
