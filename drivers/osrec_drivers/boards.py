"""What E1 boards are plugged in, as udev knows them: with driver, lines, whether free, and what is left to do.

Nothing is opened. PCI boards are found although their kernel module is not loaded; spans of DAHDI that belong to none
of them (dynamic spans) and lines of daemons are listed behind the boards.
"""

import contextlib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyudev

from osrec_drivers.board_models import Model, pci_model, usb_model
from osrec_drivers.line import LineInfo

_UDEV = ("ID_VENDOR", "ID_MODEL", "ID_VENDOR_FROM_DATABASE", "ID_MODEL_FROM_DATABASE", "ID_PATH", "ID_REVISION")
_E1_INTERFACE = ("ff", "e1")  # USB interface class and subclass
_GPSDO = "d0"  # protocol of the interface that is none
_TAKEN = "usbfs"  # what the kernel calls an interface that a program has claimed


@dataclass(frozen=True, slots=True)
class BoardPort:
    """An E1 of a board; `free` None when that is not known."""

    spec: str
    description: str
    free: bool | None


@dataclass(frozen=True, slots=True)
class BoardInfo:
    """One board.

    Attributes:
        place: bus and place on it, as in "usb 1-2" or "pci 0000:03:00.0".
        ids: vendor and product or device number.
        driver: ours, None when none of ours can serve it.
        module: kernel module, and whether it serves the board now (`loaded`); None when it needs none.
        ports: E1s that can be opened now.
        lines: E1s that it has, None when they cannot be told from the outside.
        to_do: what a person has to do before it can be used, or why it never can.
        udev: what else udev knows.
    """

    name: str
    place: str
    ids: str
    serial: str | None = None
    driver: str | None = None
    module: str | None = None
    loaded: bool | None = None
    ports: tuple[BoardPort, ...] = ()
    lines: int | None = None
    to_do: tuple[str, ...] = ()
    udev: dict[str, str] = field(default_factory=dict)


def find(context: pyudev.Context, detected: Iterable[LineInfo] = ()) -> list[BoardInfo]:
    """All boards; `detected` is what the drivers say of lines, which know better than udev whether one is free."""
    known = {info.spec: info for info in detected}
    spans = [device for device in context.list_devices(subsystem="dahdi_spans") if _span_number(device)]
    boards = [*_usb_boards(context), *_pci_boards(context, spans, known)]
    shown = {port.spec for board in boards for port in board.ports}
    boards += [_lone_span(span, known) for span in spans if f"dahdi:{_span_number(span)}" not in shown]
    shown = {port.spec for board in boards for port in board.ports}
    return boards + [_daemon_line(info) for info in known.values() if info.spec not in shown]


# ---- USB ----


def _usb_boards(context: pyudev.Context) -> Iterator[BoardInfo]:
    for device in context.list_devices(subsystem="usb", DEVTYPE="usb_device"):
        ids = (_text(device, "idVendor"), _text(device, "idProduct"))
        model = usb_model(*ids)
        if model is None:
            continue
        serial = _text(device, "serial") or device.get("ID_SERIAL_SHORT")
        interfaces = _e1_interfaces(device)
        ports = tuple(_usb_ports(model, serial, interfaces))
        yield BoardInfo(
            name=model.name,
            place=f"usb {device.sys_name}",
            ids=":".join(ids),
            serial=serial or None,
            driver=model.driver,
            module=model.module,
            loaded=None if model.module is None else any(interface.driver for interface in interfaces),
            ports=ports,
            lines=len(interfaces) if model.driver == "ice1usb" else model.lines,
            to_do=tuple(_usb_to_do(device, model, serial)),
            udev=_udev(device),
        )


def _e1_interfaces(device: pyudev.Device) -> list[pyudev.Device]:
    found = []
    for child in device.children:
        kind = (_text(child, "bInterfaceClass"), _text(child, "bInterfaceSubClass"))
        if kind == _E1_INTERFACE and _text(child, "bInterfaceProtocol") != _GPSDO:
            found.append(child)
    return sorted(found, key=lambda child: child.sys_name)


def _usb_ports(model: Model, serial: str | None, interfaces: Sequence[pyudev.Device]) -> Iterator[BoardPort]:
    if model.driver != "ice1usb" or not serial:
        return
    for number, interface in enumerate(interfaces):
        yield BoardPort(f"ice1usb:{serial}:{number}", f"{model.name}, port {number}", interface.driver != _TAKEN)


def _usb_to_do(device: pyudev.Device, model: Model, serial: str | None) -> Iterator[str]:
    if model.note:
        yield model.note
    if model.driver == "ice1usb" and not serial:
        yield "it has no serial number, by which a line names it: flash its firmware anew"
    node = device.device_node
    if model.driver == "ice1usb" and node and not os.access(node, os.R_OK | os.W_OK):
        yield f"we may not use {node}: install drivers/udev/60-osrec-e1.rules, then `udevadm trigger`"
    if model.module is not None and not any(child.driver for child in device.children):
        yield f"load its kernel module: modprobe {model.module}"


# ---- PCI and DAHDI ----


def _pci_boards(
    context: pyudev.Context, spans: Sequence[pyudev.Device], known: dict[str, LineInfo]
) -> Iterator[BoardInfo]:
    for device in context.list_devices(subsystem="pci"):
        ids = [_text(device, name).removeprefix("0x") for name in ("vendor", "device", "subsystem_vendor")]
        model = pci_model(*ids)
        if model is None:
            continue
        ports = [_span_port(span, known) for span in spans if span.device_path.startswith(device.device_path + "/")]
        yield BoardInfo(
            name=model.name,
            place=f"pci {device.sys_name}",
            ids=":".join(ids[:2]),
            driver=model.driver,
            module=model.module,
            loaded=device.driver is not None,
            ports=tuple(ports),
            lines=model.lines,
            to_do=tuple(_pci_to_do(device, model, ports)),
            udev=_udev(device),
        )


def _pci_to_do(device: pyudev.Device, model: Model, ports: Sequence[BoardPort]) -> Iterator[str]:
    if model.driver is None:
        yield model.note
    elif device.driver is None:
        yield f"load its kernel module: modprobe {model.module}" + (f" ({model.note})" if model.note else "")
    elif device.driver != model.module:
        yield f"the kernel module {device.driver} has it, which is not {model.module}: unbind that"
    elif not ports:
        yield "its module is loaded, but it has no spans: dahdi_span_assignments auto (or dahdi auto_assign_spans=1)"


def _span_number(span: pyudev.Device) -> str:
    number = span.sys_name.removeprefix("span-")
    return number if number.isdigit() else ""


def _span_port(span: pyudev.Device, known: dict[str, LineInfo]) -> BoardPort:
    spec = f"dahdi:{_span_number(span)}"
    kind = _text(span, "spantype") or _text(span, "dahdi_spantype")  # the name differs by version
    description = " ".join(part for part in ("span", _span_number(span), kind, _text(span, "desc")) if part)
    return BoardPort(spec, description, known[spec].free if spec in known else None)


def _lone_span(span: pyudev.Device, known: dict[str, LineInfo]) -> BoardInfo:
    port = _span_port(span, known)
    name = _text(span, "desc") or "DAHDI span"
    return BoardInfo(name, f"dahdi {span.sys_name}", "", driver="dahdi", loaded=True, ports=(port,), lines=1)


def _daemon_line(info: LineInfo) -> BoardInfo:
    driver, _, place = info.spec.partition(":")
    port = BoardPort(info.spec, info.description, info.free)
    return BoardInfo(info.description.partition(",")[0], place, "", driver=driver, ports=(port,), lines=1)


# ---- udev ----


def _text(device: pyudev.Device, name: str) -> str:
    """An attribute of /sys; empty when there is none, or nobody may read it."""
    value: Any = None
    with contextlib.suppress(KeyError, UnicodeDecodeError, OSError):
        value = device.attributes.asstring(name).strip()
    return value or ""


def _udev(device: pyudev.Device) -> dict[str, str]:
    return {name: device.properties[name] for name in _UDEV if name in device.properties}
