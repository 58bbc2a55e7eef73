"""The list of devices: what operation 204 is answered with, and the segments of operation 205 that bring it.

The recorder's codec knows neither, so their bodies are written here: in BER as ECMA-285 has
GetSwitchingFunctionDevicesResult and SwitchingFunctionDevicesArgument, in XML by the same names (the element around
each device is assumed).
"""

from collections.abc import Sequence

from osrec.wire.csta.ber import element, integer_octets
from osrec.wire.csta.identifiers import write_identifier
from osrec.wire.csta.model import UnknownArgument
from osrec.wire.csta.xml_names import namespace_of

GET, SEGMENT = 204, 205
_BOOLEAN, _INTEGER, _OCTET_STRING, _SEQUENCE, _DIALING_NUMBER = 0x01, 0x02, 0x04, 0x30, 0x80


class DeviceList:
    """Writes them for one client. `edition`: of ECMA-323; None: BER."""

    def __init__(self, edition: int | None) -> None:
        self._edition = edition

    def announced(self, reference: bytes) -> UnknownArgument:
        """The result of operation 204."""
        if self._edition is None:
            body = element(_SEQUENCE, element(_OCTET_STRING, reference))
        else:
            body = self._document("GetSwitchingFunctionDevicesResponse", self._reference(reference))
        return UnknownArgument(GET, body, "")

    def segments(self, reference: bytes, devices: Sequence[str], size: int) -> list[UnknownArgument]:
        """Operation 205, `size` devices each; at least one."""
        pieces = [devices[at : at + size] for at in range(0, len(devices), size)] or [()]
        write = self._ber if self._edition is None else self._xml
        return [
            UnknownArgument(SEGMENT, write(reference, number, number == len(pieces), piece), "")
            for number, piece in enumerate(pieces, 1)
        ]

    @staticmethod
    def _ber(reference: bytes, number: int, last: bool, devices: Sequence[str]) -> bytes:
        entries = [
            element(_SEQUENCE, element(_SEQUENCE, element(_DIALING_NUMBER, device.encode("ascii"))))
            for device in devices
        ]
        head = element(_OCTET_STRING, reference) + element(_INTEGER, integer_octets(number))
        head += element(_BOOLEAN, b"\xff" if last else b"\x00")
        return element(_SEQUENCE, head + element(_SEQUENCE, b"".join(entries)))

    def _xml(self, reference: bytes, number: int, last: bool, devices: Sequence[str]) -> bytes:
        listed = "".join(f"<device><deviceID>{device}</deviceID></device>" for device in devices)
        inner = f"{self._reference(reference)}<segmentID>{number}</segmentID>"
        inner += f"<lastSegment>{'true' if last else 'false'}</lastSegment><deviceList>{listed}</deviceList>"
        return self._document("SwitchingFunctionDevices", inner)

    @staticmethod
    def _reference(reference: bytes) -> str:
        return f"<serviceCrossRefID>{write_identifier(reference)}</serviceCrossRefID>"

    def _document(self, name: str, inner: str) -> bytes:
        return f'<{name} xmlns="{namespace_of(self._edition or 0)}">{inner}</{name}>'.encode("ascii")
