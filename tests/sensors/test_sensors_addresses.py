"""What somebody writes as an address, and what is offered for it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from bench import spec_of
from hypothesis import given
from hypothesis import strategies as st

from nakctl.device.sensor import load_kind
from nakctl.errors import RigError
from nakctl.rig import find_rig
from nakctl_sensors.addresses import Endpoint, Register, Visa, Wrong, endpoint, register, serial_port, visa
from nakctl_sensors.escapes import escaped, line_end

# As written -> in its usual spelling.
VISA_TAKEN = [
    ("TCPIP0::1.2.3.4::inst0::INSTR", "TCPIP0::1.2.3.4::inst0::INSTR"),
    ("TCPIP::1.2.3.4", "TCPIP::1.2.3.4"),
    ("tcpip::1.2.3.4::5025::socket", "TCPIP::1.2.3.4::5025::SOCKET"),
    ("TCPIP::meter.lab::hislip0,4880::INSTR", "TCPIP::meter.lab::hislip0,4880::INSTR"),
    ("TCPIP::1.2.3.4::gpib0,16::INSTR", "TCPIP::1.2.3.4::gpib0,16::INSTR"),
    ("gpib::16::instr", "GPIB::16::INSTR"),
    ("GPIB0::16::96::INSTR", "GPIB0::16::96::INSTR"),
    ("ASRL3", "ASRL3::INSTR"),
    ("asrl3::instr", "ASRL3::INSTR"),
    ("ASRL/dev/ttyUSB0::INSTR", "ASRL/dev/ttyUSB0::INSTR"),
    ("USB0::0x2A8D::0x1301::MY1::INSTR", "USB0::0x2A8D::0x1301::MY1::INSTR"),
    ("USB::2391::5973::MY1::0::INSTR", "USB::2391::5973::MY1::0::INSTR"),
    ("PXI0::1::INSTR", "PXI0::1::INSTR"),
    ("visa://server/GPIB0::16::INSTR", "visa://server/GPIB0::16::INSTR"),
    ("dmm_left", "dmm_left"),  # a name given in the VISA library
]
# As written -> what is offered, or a phrase of the sentence after ~.
VISA_WRONG = [
    ("TCPIP::192.168.1.5::5025", "TCPIP::192.168.1.5::5025::SOCKET"),
    ("TCPIP::192.168.1.5::5025::INSTR", "TCPIP::192.168.1.5::5025::SOCKET"),
    ("TCPIP::192.168.1.5::inst0::5025::SOCKET", "TCPIP::192.168.1.5::5025::SOCKET"),
    ("192.168.1.5:5025", "TCPIP::192.168.1.5::5025::SOCKET"),
    ("192.168.1.5::5025", "TCPIP::192.168.1.5::5025::SOCKET"),
    ("localhost:5025", "TCPIP::localhost::5025::SOCKET"),
    ("192.168.1.5", "TCPIP::192.168.1.5::INSTR, or TCPIP::192.168.1.5::PORT::SOCKET with its port"),
    ("TCPIP:192.168.1.5:5025:SOCKET", "TCPIP::192.168.1.5::5025::SOCKET"),
    ("TCPIP::192.168.1.5:5025::SOCKET", "TCPIP::192.168.1.5::5025::SOCKET"),
    ("TCPIP::192.168.1.5::5025:SOCKET", "TCPIP::192.168.1.5::5025::SOCKET"),
    ("TCPIP:192.168.1.5::5025::SOCKET", "TCPIP::192.168.1.5::5025::SOCKET"),
    ("TCPIP:::192.168.1.5::INSTR", "TCPIP::192.168.1.5::INSTR"),
    ("TCPIP::192.168.1.5::INSTR::", "TCPIP::192.168.1.5::INSTR"),
    ("TCPIP 192.168.1.5 5025", "TCPIP::192.168.1.5::5025::SOCKET"),
    ("TCPIP::192.168.1.5::SOCKET", "~needs a port, such as TCPIP::192.168.1.5::5025::SOCKET"),
    ("TCPIP::192.168.1.5::5025::SOCKT", "TCPIP::192.168.1.5::5025::SOCKET"),
    ("TCPIP::192.168.1.5::INST", "TCPIP::192.168.1.5::INSTR"),
    ("TCP::192.168.1.5::5025::SOCKET", "TCPIP::192.168.1.5::5025::SOCKET"),
    ("TCPPIP::192.168.1.5::INSTR", "TCPIP::192.168.1.5::INSTR"),
    ("GBIP::16::INSTR", "GPIB::16::INSTR"),
    ("tcp://192.168.1.5:5025", "TCPIP::192.168.1.5::5025::SOCKET"),
    ("http://192.168.1.5/", "TCPIP::192.168.1.5::INSTR"),
    ("TCPIP::192,168,1,5::INSTR", "TCPIP::192.168.1.5::INSTR"),
    ("TCPIP::192.168.1.O5::INSTR", "TCPIP::192.168.1.5::INSTR"),
    ("TCPIP::192.168.001.005::INSTR", "TCPIP::192.168.1.5::INSTR"),
    ("TCPIP::192.168.1.256::INSTR", "~256 in 192.168.1.256 is greater than 255"),
    ("TCPIP::192.168.1::INSTR", "~is no IPv4 address"),
    ("TCPIP::192.168.1.5::70000::SOCKET", "~there is no port 70000"),
    ("192.168.1.5:70000", "~there is no port 70000"),
    ("TCPIP::[::1]::5025::SOCKET", "~cannot read IPv6"),
    ("TCPIP::192.168.1.5x::INSTR", "~is no IPv4 address"),
    ("TCPIP::192.168.1.5::0525::SOCKET", "~0525 is no number of a port"),
    ("TCPIP::192.168.1.5;5025::SOCKET", "TCPIP::192.168.1.5::5025::SOCKET"),
    ("TCPIP::192.168.1 .5::INSTR", "TCPIP::192.168.1.5::INSTR"),
    ("TCPIP::192.168.1 5::INSTR", "~has a blank in it"),
    ("TCPIP::192.168.1.5::ints0::INSTR", "TCPIP::192.168.1.5::inst0::INSTR"),
    ("TCPIP::192.168.1.5::inst::INSTR", "TCPIP::192.168.1.5::inst0::INSTR"),
    ("TCPIP::192.168.1.5::IN.STR", "TCPIP::192.168.1.5::INSTR"),
    ("TCPIP", "~has the form TCPIP::"),
    (" TCPIP::192.168.1.5::INSTR", "TCPIP::192.168.1.5::INSTR"),
    ("TCPIP::192.168.1.5 ::INSTR", "TCPIP::192.168.1.5::INSTR"),
    ("TCPIP\uff1a\uff1a192.168.1.5\uff1a\uff1aINSTR", "TCPIP::192.168.1.5::INSTR"),
    ("TCPIP\u2236\u2236192.168.1.5::INSTR", "TCPIP::192.168.1.5::INSTR"),
    ("\u201cGPIB::16::INSTR\u201d", "GPIB::16::INSTR"),
    ("'GPIB::16::INSTR'", "GPIB::16::INSTR"),
    ("GPIB::16::INSTR\u00a0", "GPIB::16::INSTR"),
    ("GPIB::16\u200b::INSTR", "GPIB::16::INSTR"),
    ("TCPI\u0420::192.168.1.5::INSTR", "TCPIP::192.168.1.5::INSTR"),
    ("TCPIP::me\u00dfger\u00e4t::INSTR", "~which no address has"),
    ("GPIB16", "GPIB::16::INSTR"),
    ("GPIB:16", "GPIB::16"),
    ("GPIB0,16", "GPIB0::16"),
    ("GPIB::31::INSTR", "~they go from 0 to 30"),
    ("GPIB::016::INSTR", "GPIB::16::INSTR"),
    ("GPIB::16::50::INSTR", "~no secondary address"),
    ("GPIB0::INTFC", "~no instrument that answers"),
    ("COM3", "ASRL3::INSTR, or kind: serial with port: COM3"),
    ("/dev/ttyUSB0", "ASRL/dev/ttyUSB0::INSTR, or kind: serial with port: /dev/ttyUSB0"),
    ("ASRLCOM3::INSTR", "ASRL3::INSTR"),
    ("ASRL::COM3::INSTR", "ASRL3::INSTR"),
    ("COM3::INSTR", "ASRL3::INSTR, or kind: serial with port: COM3"),
    ("ASRLttyUSB0::INSTR", "ASRL/dev/ttyUSB0::INSTR"),
    ("ASRL::INSTR", "~names no port"),
    ("usb:A50285BI", "kind: serial with port: usb:A50285BI"),
    ("USB::2A8D::1301::MY1::INSTR", "USB::0x2A8D::0x1301::MY1::INSTR"),
    ("USB::Ox2A8D::0x1301::MY1::INSTR", "USB::0x2A8D::0x1301::MY1::INSTR"),
    ("USB::0x2A8D::0x1301:MY1::INSTR", "USB::0x2A8D::0x1301::MY1::INSTR"),
    ("USB::0x12A8D::0x1301::MY1::INSTR", "~no number of a maker"),
    ("USB::0x2A8D::0x1301", "~has the form USB::"),
    ("", "~is empty"),
]
PORTS_TAKEN = [
    ("COM3", "COM3"),
    ("com3", "COM3"),
    (r"\\.\COM12", "COM12"),
    ("/dev/ttyUSB0", "/dev/ttyUSB0"),
    ("/dev/serial/by-id/usb-FTDI_A5-if00-port0", "/dev/serial/by-id/usb-FTDI_A5-if00-port0"),
    ("/dev/cu.usbserial-A5", "/dev/cu.usbserial-A5"),
    ("CNCA0", "CNCA0"),  # a program gave it to a port of its own
    ("socket://h:4001", "socket://h:4001"),
    ("SOCKET://h:4001/", "socket://h:4001"),
    ("socket://[::1]:4001", "socket://[::1]:4001"),
    ("rfc2217://h:2217?ign_set_control&timeout=3", "rfc2217://h:2217?ign_set_control&timeout=3"),
    ("loop://", "loop://"),
    ("spy:///dev/ttyUSB0?file=a.txt", "spy:///dev/ttyUSB0?file=a.txt"),
    ("alt:///dev/ttyUSB0?class=PosixPollSerial", "alt:///dev/ttyUSB0?class=PosixPollSerial"),
    ("hwgrep://USB Serial", "hwgrep://USB Serial"),
    ("usb:a50285bi", "usb:a50285bi"),
    ("USB:1a86:7523", "usb:1A86:7523"),
    ("usb:24:0A:C4:00:11:22", "usb:24:0A:C4:00:11:22"),  # ESP32: the serial number has colons
]
PORTS_WRONG = [
    ("COM 3", "COM3"),
    ("COM3:", "COM3"),
    ("COM03", "COM3"),
    ("COMM3", "COM3"),
    ("C0M3", "COM3"),
    ("CON3", "COM3"),
    (" COM3", "COM3"),
    ("\u0421\u041e\u041c3", "COM3"),
    ("COM3\u00a0", "COM3"),
    ("\u2018COM3\u2019", "COM3"),
    ("COM3,9600", "COM3, and baud: 9600"),
    ("COM0", "~begin with COM1"),
    ("COM", "~needs the number"),
    ("3", "~that is COM3"),
    ("ttyUSB0", "/dev/ttyUSB0"),
    ("dev/ttyUSB0", "/dev/ttyUSB0"),
    ("/dev/ttyusb0", "/dev/ttyUSB0"),
    ("/dev/tty/USB0", "/dev/ttyUSB0"),
    ("/dev/ttyUSB0 ", "/dev/ttyUSB0"),
    ("ttUSB0", "/dev/ttyUSB0"),
    ("cu.usbserial-A5", "/dev/cu.usbserial-A5"),
    ("/dev/ttyUSB0:9600", "/dev/ttyUSB0, and baud: 9600"),
    ("tcp://h:4001", "socket://h:4001"),
    ("tcp://h", "socket://HOST:PORT"),
    ("sockt://h:1", "socket://h:1"),
    ("socket://h", "~needs a port behind the host: socket://h:PORT"),
    ("socket://h:70000", "~there is no port 70000"),
    ("socket://h:0", "~there is no port 0"),
    ("socket://h:1/path", "socket://h:1"),
    ("socket://1.2.3.400:5", "~400 in 1.2.3.400 is greater than 255"),
    ("socket://:5", "~has no host"),
    ("rfc2217://h:2217?loging=debug", "rfc2217://h:2217"),
    ("spy://usb:A5", "~a port of the system"),
    ("spy://COM 3", "spy://COM3"),
    ("hwgrep://(", "~no regular expression"),
    ("serial:///dev/ttyUSB0", "/dev/ttyUSB0"),
    ("1.2.3.4:4001", "socket://1.2.3.4:4001"),
    ("1.2.3.4", "~socket://1.2.3.4:PORT"),
    ("ASRL3::INSTR", "COM3"),
    ("GPIB16", "kind: scpi with address: GPIB::16::INSTR"),
    ("TCPIP::1.2.3.4::INSTR", "kind: scpi with address: TCPIP::1.2.3.4::INSTR"),
    ("usb:", "~nakctl sensors probe shows it"),
    ("usb://A5", "usb:A5"),
    ("usb:0x1a86:0x7523", "usb:1A86:7523"),
    ("USB VID:PID=0403:6001 SER=A50285BI LOCATION=1-1", "usb:A50285BI"),
    ("VID:PID=1a86:7523", "usb:1A86:7523"),
    ("", "~is empty"),
]
HOSTS_TAKEN = [
    ("h", Endpoint("h", 502)),
    ("127.0.0.1:1502", Endpoint("127.0.0.1", 1502)),
    ("[::1]", Endpoint("::1", 502)),
    ("[::1]:1502", Endpoint("::1", 1502)),
]
HOSTS_WRONG = [
    ("tcp://127.0.0.1:502", "127.0.0.1:502"),
    ("modbus://h", "h"),
    ("tcp://h:502/3", "h:502 with device: 3"),
    ("127.0.0.1:502/1", "127.0.0.1:502 with device: 1"),
    ("h:502:1", "h:502 with device: 1"),
    ("127.0.0.1:abc", "~abc is no number of a port"),
    (":502", "~no host before its port: write HOST:502"),
    ("h:", "h"),
    ("127.0.0.1:70000", "~there is no port 70000"),
    ("127.0.0.1,502", "127.0.0.1:502"),
    ("127.0.0.1 502", "127.0.0.1:502"),
    ("127.0.0.1 :502", "127.0.0.1:502"),
    ("127.0.0.1\uff1a502", "127.0.0.1:502"),
    ("127.0.0.1:502\u00a0", "127.0.0.1:502"),
    ("192,168,1,5:502", "192.168.1.5:502"),
    ("1.2.3.444", "~444 in 1.2.3.444"),
    ("::1", "'[::1]'"),
    ("[1.2.3.4]:502", "1.2.3.4:502"),
    ("[::zz]", "~no IPv6 address"),
    ("COM3", "port: COM3"),
    ("ttyUSB0", "port: /dev/ttyUSB0"),
    ("usb:A5", "port: usb:A5"),
    ("socket://h:502", "port: socket://h:502"),
    ("ASRL3::INSTR", "port: COM3"),
    ("TCPIP::h::502::SOCKET", "h:502"),
    ("TCPIP0::h::inst0::INSTR", "h"),
    ("GPIB::1::INSTR", "~kind: scpi"),
    ("", "~is empty"),
]


def agrees(found: object, expected: str) -> None:
    assert isinstance(found, Wrong), found
    if expected.startswith("~"):
        assert expected[1:] in str(found)
        assert found.offer == ""
    else:
        assert found.offer == expected
        assert expected in str(found)
    assert "\n" not in str(found)


@pytest.mark.parametrize(("text", "right"), VISA_TAKEN)
def test_visa_addresses_in_their_usual_spelling(text: str, right: str) -> None:
    found = visa(text)
    assert isinstance(found, Visa), found
    assert found.text == right


@pytest.mark.parametrize(("text", "expected"), VISA_WRONG)
def test_what_is_offered_for_a_visa_address(text: str, expected: str) -> None:
    agrees(visa(text), expected)


def test_names_of_a_library_are_none_of_another() -> None:
    assert isinstance(visa("dmm_left", "@py"), Wrong)
    assert isinstance(visa("dmm_left", "bench.yaml@sim"), Wrong)


@pytest.mark.parametrize(("text", "right"), PORTS_TAKEN)
def test_ports_in_their_usual_spelling(text: str, right: str) -> None:
    assert serial_port(text) == right


@pytest.mark.parametrize(("text", "expected"), PORTS_WRONG)
def test_what_is_offered_for_a_port(text: str, expected: str) -> None:
    agrees(serial_port(text), expected)


@pytest.mark.parametrize(("text", "where"), HOSTS_TAKEN)
def test_hosts_of_modbus(text: str, where: Endpoint) -> None:
    assert endpoint(text) == where


@pytest.mark.parametrize(("text", "expected"), HOSTS_WRONG)
def test_what_is_offered_for_a_host(text: str, expected: str) -> None:
    agrees(endpoint(text), expected)


def another_form(offer: str) -> bool:
    """More than a spelling of the same word."""
    return offer.startswith("port:") or any(mark in offer for mark in (" ", "PORT", "'"))


ALPHABET = "".join(text for text, _ in [*VISA_WRONG, *PORTS_WRONG, *HOSTS_WRONG]) + "\\?&=%#@[]"
pieces = st.sampled_from([text for text, _ in [*VISA_WRONG, *PORTS_WRONG, *HOSTS_WRONG]])
texts = st.text(ALPHABET, max_size=30) | st.tuples(pieces, st.text(ALPHABET, max_size=3), pieces).map("".join)


@given(texts)
def test_any_text_is_taken_or_refused_and_what_is_offered_is_taken(text: str) -> None:
    for read in (visa, serial_port, endpoint):
        found: Any = read(text)
        if isinstance(found, Wrong):
            assert str(found).strip()
            if found.offer and not another_form(found.offer):
                assert not isinstance(read(found.offer), Wrong), found


@given(texts)
def test_a_usual_spelling_stays_as_it_is(text: str) -> None:
    address, port = visa(text), serial_port(text)
    if isinstance(address, Visa):
        assert visa(address.text) == address
    if isinstance(port, str):
        assert serial_port(port) == port


def test_they_are_pure() -> None:
    """Looking at a port or at Modbus loads no library; pyvisa comes with a VISA address only."""
    code = (
        "import sys; from nakctl_sensors.addresses import *; serial_port('COM3'); endpoint('h');"
        "print([name for name in ('serial', 'pymodbus', 'pyvisa', 'numpy') if name in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


# --- registers ------------------------------------------------------------------------------------------

REGISTERS: list[tuple[int, str | None, str | None, int, Register | str]] = [
    (0, None, None, 1, Register(0, "holding")),
    (65535, None, "input", 1, Register(65535, "input")),
    (40000, None, None, 1, Register(40000, "holding")),
    (40001, None, None, 1, "write register: 0 with table: holding, or add counting: manual; if it is meant as sent"),
    (49999, None, None, 1, "register: 9998 with table: holding"),
    (30010, None, "holding", 1, "register: 9 with table: input"),
    (400001, None, None, 1, "register: 0 with table: holding, or add counting: manual"),
    (365536, None, None, 1, "register: 65535 with table: input"),
    (40001, "from 0", None, 1, Register(40001, "holding")),
    (400001, "from 0", None, 1, "there is no register 400001"),
    (40001, "manual", None, 1, Register(0, "holding")),
    (49999, "manual", "holding", 1, Register(9998, "holding")),
    (30001, "manual", None, 1, Register(0, "input")),
    (465536, "manual", None, 1, Register(65535, "holding")),
    (1, "manual", "input", 1, Register(0, "input")),
    (9999, "manual", None, 1, Register(9998, "holding")),
    (40001, "manual", "input", 1, "40001 is a holding register in manuals, and table says input"),
    (30001, "manual", "holding", 1, "30001 is an input register in manuals"),
    (0, "manual", None, 1, "count registers from 1"),
    (10001, "manual", None, 1, "a single bit"),
    (50001, "manual", None, 1, "no number of manuals"),
    (65535, None, None, 2, "takes two registers, and 65535 is the last one"),
    (465536, "manual", None, 2, "takes two registers"),
]  # fmt: skip


@pytest.mark.parametrize(("number", "counting", "table", "count", "expected"), REGISTERS)
def test_registers(
    number: int, counting: str | None, table: str | None, count: int, expected: Register | str
) -> None:
    found = register(number, counting, table, count)
    if isinstance(expected, str):
        assert expected in str(found)
    else:
        assert found == expected


def test_a_manuals_number_becomes_that_on_the_wire() -> None:
    place = {"kind": "modbus", "address": "h", "unit": "degC", "counting": "manual"}
    options = spec_of("a", **place, register=30002, set_register=40007).options
    assert (options["register"], options["table"], options["set_register"]) == (1, "input", 6)
    assert options["register_written"] == 30002


# --- ends of lines --------------------------------------------------------------------------------------

ENDS = [
    (r"\r\n", r'write "\r\n"'),
    (r"\x0d", r'write "\x0d"'),
    ("CRLF", r'write "\r\n"'),
    ("crlf", r'write "\r\n"'),
    ("CR+LF", r'write "\r\n"'),
    ("<CR>", r'write "\r"'),
    ("LF", r'write "\n"'),
    ("0x0D", r'write "\r"'),
    ("\n ", r'write "\n"'),
    ("END", "without letters and digits"),
    ("\r\n\r\n\r", "has 5 characters"),
]


@pytest.mark.parametrize(("text", "phrase"), ENDS)
def test_what_is_offered_for_the_end_of_a_line(text: str, phrase: str) -> None:
    assert phrase in str(line_end(text))


@pytest.mark.parametrize("text", ["\r\n", "\n", "\r", "\x03", ";", "\r\n>"])
def test_ends_of_lines(text: str) -> None:
    assert line_end(text) is None


def test_escapes_that_yaml_has_left_as_they_are() -> None:
    assert r'write "\eP"' in str(escaped(r"\eP"))
    assert r'write "say \"x\"\n"' in str(escaped(r'say "x"\n'))
    assert escaped("\x1bP") is None
    assert escaped(r'MMEM:LOAD "C:\test.sta"') is None  # a path of the instrument


# --- in the rig file ------------------------------------------------------------------------------------

RIG = [
    ("{kind: scpi, address: '192.168.1.5:5025', unit: V}", "write TCPIP::192.168.1.5::5025::SOCKET"),
    ("{kind: scpi, address: 'GPIB::16::INSTR', baud: 9600, unit: V}", "GPIB::16::INSTR is no serial port"),
    ("{kind: serial, port: 'COM 3', unit: kg}", "write COM3"),
    ("{kind: serial, port: x, terminator: '\\r\\n', unit: kg}", 'write "\\r\\n"'),
    ("{kind: serial, port: x, send_terminator: CR, unit: kg}", 'write "\\r"'),
    ("{kind: serial, port: x, query: '\\eP', unit: kg}", 'write "\\eP"'),
    ("{kind: serial, port: x, set: 'SP {value}\\n', unit: kg}", 'write "SP {value}\\n"'),
    ("{kind: serial, port: x, setup: [A, 'B\\r'], unit: kg}", 'write "B\\r"'),
    ("{kind: modbus, address: 'h:abc', register: 1, unit: degC}", "abc is no number of a port"),
    ("{kind: modbus, port: ttyUSB0, register: 1, unit: degC}", "write /dev/ttyUSB0"),
    ("{kind: modbus, port: x, device: 0, register: 1, unit: degC}", "0 speaks to all devices"),
    ("{kind: modbus, port: x, device: 250, register: 1, unit: degC}", "there is no device 250"),
    ("{kind: modbus, port: x, device: 256, register: 1, unit: degC}", "is greater than 255"),
    ("{kind: modbus, address: h, register: 40001, unit: degC}", "register: 0 with table: holding"),
    ("{kind: modbus, address: h, register: 500000, unit: degC}", "is greater than 465536"),
    ("{kind: modbus, address: h, register: 1, set_register: 40001, unit: degC}", "is a number of manuals"),
    (
        "{kind: modbus, address: h, register: 1, set_register: 30001, counting: manual, unit: degC}",
        "cannot be written",
    ),
    (
        "{kind: modbus, address: h, register: 40001, counting: manual, table: input, unit: degC}",
        "table says input",
    ),
    ("{kind: modbus, address: h, register: 65535, type: float32, unit: degC}", "takes two registers"),
    ("{kind: modbus, address: h, register: 1, words: little, unit: degC}", "has no effect"),
    ("{kind: modbus, address: h, register: 1, counting: from 1, unit: degC}", "must be from 0 or manual"),
]


@pytest.mark.parametrize(("words", "phrase"), RIG)
def test_it_is_told_on_its_line_before_anything_is_opened(tmp_path: Path, words: str, phrase: str) -> None:
    file = tmp_path / "rig.yaml"
    file.write_text(f"nakctl-rig: 1\nsensors:\n  bad: {words}\n", "utf-8")
    with pytest.raises(RigError) as told:
        find_rig(file)
    (fault,) = told.value.faults
    assert fault.mark.line == 3
    assert phrase in fault.message


def test_tcp_units_have_any_number() -> None:
    for device in (0, 255):
        words = {"kind": "modbus", "address": "h", "register": 1, "unit": "degC", "device": device}
        assert load_kind("modbus").spec("a", words)[1] == []
