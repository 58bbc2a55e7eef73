"""Our SAToP packets as Wireshark's dissector sees them."""

import json
import random
import struct
import subprocess
from pathlib import Path
from typing import Any

import pytest

from osrec_drivers.e1.engine import Engine
from osrec_drivers.e1.pseudowire import Port

UDP_PORT = 5001
MS = 1_000_000


def packets(count: int, **options: Any) -> list[bytes]:
    port = Port(Engine(capacity=1024), **options)
    payload = options.get("payload", 256)
    port.transmit(random.Random(1).randbytes(payload * count))
    return [datagram for n in range(count) if (datagram := port.due((1 + n) * 100 * MS)) is not None]


def pcap(path: Path, datagrams: list[bytes]) -> None:
    """A libpcap file of raw IPv4 (LINKTYPE 101), by hand."""
    out = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101)]
    for number, datagram in enumerate(datagrams):
        udp = struct.pack(">HHHH", UDP_PORT, UDP_PORT, 8 + len(datagram), 0) + datagram
        header = struct.pack(
            ">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), number, 0, 64, 17, 0, b"\x7f\0\0\1", b"\x7f\0\0\1"
        )
        out.append(struct.pack("<IIII", number, 0, len(header + udp), len(header + udp)) + header + udp)
    path.write_bytes(b"".join(out))


def dissect(path: Path, protocol: str) -> list[dict[str, Any]]:
    done = subprocess.run(
        ["tshark", "-r", str(path), "-d", f"udp.port=={UDP_PORT},{protocol}", "-T", "json"],
        check=True,
        capture_output=True,
        timeout=60,
    )
    layers: list[dict[str, Any]] = [packet["_source"]["layers"] for packet in json.loads(done.stdout)]
    return layers


def fields(tree: dict[str, Any]) -> dict[str, str]:
    """All leaves of a layer by field name."""
    found: dict[str, str] = {}
    for name, value in tree.items():
        if isinstance(value, dict):
            found |= fields(value)
        else:
            found[name] = value
    return found


@pytest.mark.parametrize(("payload", "length"), [(256, "0"), (512, "0"), (32, "36")])
def test_the_control_word_and_payload_are_as_meant(tmp_path: Path, payload: int, length: str) -> None:
    sent = packets(20, payload=payload, sequence=65530)
    assert len(sent) == 20
    pcap(tmp_path / "satop.pcap", sent)
    seen = dissect(tmp_path / "satop.pcap", "pwsatopcw")
    assert len(seen) == 20
    for number, (layers, datagram) in enumerate(zip(seen, sent, strict=True)):
        assert "_ws.malformed" not in layers
        satop = next(layer for name, layer in layers.items() if "satop" in name.lower())
        flat = fields(satop)
        assert int(flat["pwsatop.cw.seqno"], 0) == (65530 + number) % 65536
        assert int(flat["pwsatop.cw.lbit"], 0) == 0
        assert int(flat["pwsatop.cw.rbit"], 0) == 0
        assert int(flat["pwsatop.cw.frag"], 0) == 0
        assert int(flat["pwsatop.cw.length"], 0) == int(length)
        assert int(flat["pwsatop.payload.len"], 0) == payload
        assert bytes.fromhex(flat["pwsatop.payload"].replace(":", "")) == datagram[4:]
        assert not any("expert" in name or "not_zero" in name or "invalid" in name for name in flat)


def test_the_rtp_header_is_one(tmp_path: Path) -> None:
    """Wireshark has no SAToP with RTP; it reads the header as RTP, and what follows begins with the control word."""
    sent = packets(10, rtp=True, payload_type=97, ssrc=0xCAFE0001, sequence=65533)
    pcap(tmp_path / "rtp.pcap", sent)
    for number, layers in enumerate(dissect(tmp_path / "rtp.pcap", "rtp")):
        rtp = fields(layers["rtp"])
        assert rtp["rtp.version"] == "2"
        assert rtp["rtp.p_type"] == "97"
        assert int(rtp["rtp.seq"]) == (65533 + number) % 65536
        assert int(rtp["rtp.timestamp"]) == 8 * number
        assert int(rtp["rtp.ssrc"], 0) == 0xCAFE0001
        payload = bytes.fromhex(rtp["rtp.payload"].replace(":", ""))
        assert payload[:4] == struct.pack(">HH", 0, (65533 + number) % 65536)
        assert len(payload) == 260


def test_the_dissector_objects_to_a_wrong_control_word(tmp_path: Path) -> None:
    """That it agrees with ours means something."""
    sent = packets(1)[0]
    pcap(tmp_path / "bad.pcap", [b"\x10" + sent[1:]])
    done = subprocess.run(
        ["tshark", "-r", str(tmp_path / "bad.pcap"), "-d", f"udp.port=={UDP_PORT},pwsatopcw", "-V"],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "must be 0" in done.stdout
