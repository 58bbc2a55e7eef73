"""Boards with E1 ports that people can buy: by what bus and numbers udev knows them, and what serves them.

PCI numbers and modules: the tables of dahdi-linux 2.11.1, drivers/dahdi/*/base.c. The same boards stand in
drivers/udev/60-osrec-e1.rules.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Model:
    """A kind of board.

    Attributes:
        driver: ours, None when none of ours can serve it.
        lines: E1 ports, None when they cannot be told from the outside.
        module: of the kernel, None for what needs none.
        note: what else a person has to know.
    """

    name: str
    driver: str | None
    lines: int | None
    module: str | None = None
    note: str = ""


_NO_DEBIAN = "Debian's dahdi-dkms leaves this module out: build dahdi-linux from its source"
_BRI = "ISDN basic rate: it has no E1 port"
_ANALOGUE = "analogue: it has no E1 port"


def _quad(name: str, lines: int) -> Model:
    return Model(f"Digium {name}", "dahdi", lines, "wct4xxp")


PCI: dict[tuple[str, str], Model] = {
    ("d161", "1820"): _quad("TE820", 8),
    ("d161", "1420"): _quad("TE420 (5th generation)", 4),
    ("d161", "1410"): _quad("TE410P (5th generation)", 4),
    ("d161", "1405"): _quad("TE405P (5th generation)", 4),
    ("d161", "0420"): _quad("TE420 (4th generation)", 4),
    ("d161", "0410"): _quad("TE410P", 4),
    ("d161", "0405"): _quad("TE405P", 4),
    ("d161", "1220"): _quad("TE220 (5th generation)", 2),
    ("d161", "1210"): _quad("TE210P (5th generation)", 2),
    ("d161", "1205"): _quad("TE205P (5th generation)", 2),
    ("d161", "0220"): _quad("TE220 (4th generation)", 2),
    ("d161", "0210"): _quad("TE210P", 2),
    ("d161", "0205"): _quad("TE205P", 2),
    ("10ee", "0314"): _quad("TE410P/TE405P (1st generation)", 4),
    ("d161", "0120"): Model("Digium TE120P", "dahdi", 1, "wcte12xp"),
    ("d161", "8000"): Model("Digium TE121", "dahdi", 1, "wcte12xp"),
    ("d161", "8001"): Model("Digium TE122", "dahdi", 1, "wcte12xp"),
    ("d161", "800a"): Model("Digium TE133", "dahdi", 1, "wcte13xp", _NO_DEBIAN),
    ("d161", "800b"): Model("Digium TE134", "dahdi", 1, "wcte13xp", _NO_DEBIAN),
    ("d161", "800e"): Model("Digium TE435/TE235", "dahdi", None, "wcte43x", _NO_DEBIAN),
    ("d161", "8013"): Model("Digium TE436/TE236", "dahdi", None, "wcte43x", _NO_DEBIAN),
    ("d161", "b410"): Model("Digium B410P", None, 0, "wcb4xxp", _BRI),
    ("d161", "8014"): Model("Digium B430", None, 0, "wcb4xxp", _BRI),
    ("d161", "8015"): Model("Digium B430", None, 0, "wcb4xxp", _BRI),
    ("d161", "8016"): Model("Digium B230", None, 0, "wcb4xxp", _BRI),
    ("d161", "8017"): Model("Digium B230", None, 0, "wcb4xxp", _BRI),
    ("d161", "2400"): Model("Digium TDM2400P", None, 0, "wctdm24xxp", _ANALOGUE),
    ("d161", "0800"): Model("Digium TDM800P", None, 0, "wctdm24xxp", _ANALOGUE),
    ("d161", "8005"): Model("Digium TDM410P", None, 0, "wctdm24xxp", _ANALOGUE),
    ("d161", "8007"): Model("Digium HA8", None, 0, "wctdm24xxp", _ANALOGUE),
    ("d161", "8008"): Model("Digium HB8", None, 0, "wctdm24xxp", _BRI),
}

# Behind a Tiger 320 bridge, e159:0001, only the subsystem's vendor tells boards apart; all others there are analogue.
TIGER = ("e159", "0001")
_TE110P = Model("Digium TE110P", "dahdi", 1, "wcte11xp")
TIGER_SUBVENDORS: dict[str, Model] = {
    "71fe": _TE110P,
    "79fe": _TE110P,
    "795e": _TE110P,
    "79de": _TE110P,
    "797e": _TE110P,
    "6159": Model("Digium E100P/T100P", "dahdi", 1, "wct1xxp"),
}

_TRACER = "a tap: osmo-e1d serves its two directions as e1d: lines, or record with e1-tracer-record and replay e1cap:"
_UPDATE = "it waits for firmware (DFU): unplug it and plug it in again, or finish the update with dfu-util"

USB: dict[tuple[str, str], Model] = {
    ("1d50", "6145"): Model("Osmocom icE1usb", "ice1usb", None),
    ("1d50", "6144"): Model("Osmocom icE1usb", None, 0, note=_UPDATE),
    ("1d50", "6151"): Model("Osmocom e1-tracer", None, 0, note=_TRACER),
    ("1d50", "6150"): Model("Osmocom e1-tracer", None, 0, note=_UPDATE),
}
ASTRIBANK = Model("Xorcom Astribank", "dahdi", None, "xpp_usb")
ASTRIBANK_VENDOR, ASTRIBANK_PRODUCTS = "e4e4", "11"  # products begin so


def pci_model(vendor: str, device: str, subvendor: str) -> Model | None:
    """The kind of board with these numbers, None for everything else on PCI."""
    if (vendor, device) == TIGER:
        return TIGER_SUBVENDORS.get(subvendor)
    return PCI.get((vendor, device))


def usb_model(vendor: str, product: str) -> Model | None:
    """The kind of board with these numbers, None for everything else on USB."""
    if vendor == ASTRIBANK_VENDOR and product.startswith(ASTRIBANK_PRODUCTS):
        return ASTRIBANK
    return USB.get((vendor, product))
