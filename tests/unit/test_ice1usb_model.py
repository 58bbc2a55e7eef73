"""The emulated USB bus has the names and arguments of the libusb1 package, so a driver cannot tell by them."""

import inspect

import pytest
import usb1

from osrec_emulators.ice1usb.libusb import Context, Device, Endpoint, Handle, Setting
from osrec_emulators.ice1usb.transfers import Transfer

BELOW = {"completed", "board", "fail", "millisecond", "ready", "full", "next_out", "packet", "finish", "tell"}
FIELDS = {"interface", "alternate", "address", "attributes", "largest"}


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (Context, usb1.USBContext),
        (Device, usb1.USBDevice),
        (Setting, usb1.USBInterfaceSetting),
        (Endpoint, usb1.USBEndpoint),
        (Handle, usb1.USBDeviceHandle),
        (Transfer, usb1.USBTransfer),
    ],
)
def test_every_method_is_one_of_libusb1_with_its_arguments(ours: type, theirs: type) -> None:
    methods = [name for name in dir(ours) if not name.startswith("_") and name not in BELOW | FIELDS]
    assert methods
    for name in methods:
        arguments = [name for name in inspect.signature(getattr(ours, name)).parameters if name != "self"]
        real = inspect.signature(getattr(theirs, name)).parameters
        assert [argument for argument in real if argument in arguments] == arguments, name
