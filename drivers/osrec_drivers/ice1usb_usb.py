"""Finding the E1 ports of icE1usb boards through libusb, and opening one."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import usb1

from osrec_drivers.errors import OpenError
from osrec_drivers.ice1usb_protocol import CLASS, DATA, FEEDBACK, INTERRUPT, PRODUCT, VENDOR

_IN = 0x80  # direction bit of an endpoint address


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Addresses; `largest` octets in a packet."""

    data_in: int
    data_out: int
    feedback: int
    interrupt: int
    largest: int


@dataclass(frozen=True, slots=True)
class Port:
    """An E1 of a board that is plugged in.

    Attributes:
        device: as libusb knows it.
        interface: number of its USB interface.
        number: 0 for the first port of the board.
        free: whether nobody has claimed it, None when that is not known.
    """

    device: Any
    serial: str
    interface: int
    number: int
    endpoints: Endpoints
    free: bool | None


def ports(context: Any) -> Iterator[Port]:
    """The ports of all boards that are plugged in and that we may look at."""
    for device in context.getDeviceIterator(skip_on_error=True):
        if (device.getVendorID(), device.getProductID()) == (VENDOR, PRODUCT):
            with contextlib.suppress(usb1.USBError):  # the udev rules are not installed, or it is just being plugged in
                yield from _ports_of(device)


def _ports_of(device: Any) -> list[Port]:
    """Raises USBError."""
    found: list[Port] = []
    with contextlib.closing(device.open()) as handle:
        serial = handle.getSerialNumber() or ""
        for setting in device.iterSettings():
            if setting.getAlternateSetting() == 1 and setting.getClassTuple()[:2] == CLASS:
                endpoints = _endpoints(setting)
                if endpoints is not None:
                    interface = setting.getNumber()
                    found.append(Port(device, serial, interface, len(found), endpoints, _is_free(device, interface)))
    return found


def _endpoints(setting: Any) -> Endpoints | None:
    found: dict[str, int] = {}
    for endpoint in setting:
        address, attributes = endpoint.getAddress(), endpoint.getAttributes()
        if attributes == FEEDBACK:
            found["feedback"] = address
        elif attributes == DATA:
            found["data_in" if address & _IN else "data_out"] = address
            found["largest"] = endpoint.getMaxPacketSize()
        elif attributes & 3 == INTERRUPT:
            found["interrupt"] = address
    return Endpoints(**found) if len(found) == 5 else None


def _is_free(device: Any, interface: int) -> bool | None:
    """Who claims an interface through libusb shows in /sys as its driver, usbfs; libusb itself hides that."""
    place = f"{device.getBusNumber()}-{'.'.join(map(str, device.getPortNumberList()))}:1.{interface}"
    entry = Path("/sys/bus/usb/devices") / place
    return not (entry / "driver").exists() if entry.exists() else None


def claim(port: Port) -> Any:
    """A handle with the port's interface claimed and running. Raises OpenError."""
    try:
        handle = port.device.open()
    except usb1.USBError as error:
        raise OpenError(f"icE1usb {port.serial}: {error}; are the udev rules installed?") from error
    try:
        handle.claimInterface(port.interface)
        handle.setInterfaceAltSetting(port.interface, 1)
    except usb1.USBError as error:
        handle.close()
        raise OpenError(f"icE1usb {port.serial}, port {port.number}: {error}; has osmo-e1d taken it?") from error
    return handle
