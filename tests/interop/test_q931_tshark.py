"""Our D channel as Wireshark's dissectors of LAPD and Q.931 see it: nothing malformed, the same fields."""

import json
import struct
import subprocess
from pathlib import Path
from typing import Any

import pytest

from osrec.wire.q921 import fields
from osrec.wire.q921.capture import LAPD, LINUX_LAPD
from osrec.wire.q921.frames import Dlci, Frame, Information, S, Side, Supervisory, U, command, encode, response
from osrec.wire.q931 import bearer, channel, codec, elements, facility, numbers
from osrec.wire.q931.causes import CauseValue, Location
from osrec.wire.q931.messages import DUMMY, GLOBAL, CallReference, Message, MessageType, mandatory, message_name
from osrec.wire.q931.registry import BY_TYPE, Element

Tree = dict[str, list[str]]
COMPLAINTS = ("_ws.malformed", "_ws.expert", "invalid_length", "incomplete_ie", "Unknown information element")


def dissected(path: Path, frames: list[bytes], link_type: int = LAPD) -> list[Tree]:
    """All leaves of each frame by field name, in the order of the wire."""
    out = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, link_type)]
    for number, frame in enumerate(frames):
        out.append(struct.pack("<IIII", number, 0, len(frame), len(frame)) + frame)
    path.write_bytes(b"".join(out))
    done = subprocess.run(
        ["tshark", "-r", str(path), "-T", "json", "--no-duplicate-keys"], check=True, capture_output=True, timeout=60
    )
    trees = []
    for packet in json.loads(done.stdout):
        leaves: Tree = {}
        _collect("", packet["_source"]["layers"], leaves)
        trees.append(leaves)
    return trees


def _collect(name: str, value: Any, leaves: Tree) -> None:
    if isinstance(value, dict):
        for key, inner in value.items():
            leaves.setdefault(key, [])  # a branch, too: what has no value is seen by its name
            _collect(key, inner, leaves)
    elif isinstance(value, list):
        for inner in value:
            _collect(name, inner, leaves)
    else:
        leaves.setdefault(name, []).append(str(value))


def complaints(tree: Tree) -> list[str]:
    return [name for name in tree if any(word in name for word in COMPLAINTS)]


def carried(message: Message) -> bytes:
    return encode(Information(0, 0, codec.encode(message)), Side.NETWORK)


REF = CallReference(0x1234)
CALLING_NAME = bytes.fromhex("a1 0b 02 01 05 02 01 00 80 03 42 6f 62")  # QSIG, ECMA-164: "Bob"
ELEMENTS: list[tuple[Element, dict[str, list[int | str]]]] = [
    (
        bearer.SPEECH_A_LAW,
        {
            "q931.coding_standard": [0],
            "q931.information_transfer_capability": [0],
            "q931.transfer_mode": [0],
            "q931.information_transfer_rate": [0x10],
            "q931.uil1": [3],
        },
    ),
    (
        bearer.BearerCapability(8, layer1=bearer.Layer(bearer.Layer1.V110, b"\x0f")),
        {"q931.uil1": [1], "q931.bearer_capability.user_rate": [15]},
    ),
    (
        bearer.BearerCapability(8, 2, 0, layer2=bearer.Layer(6), layer3=bearer.Layer(6)),
        {"q931.transfer_mode": [2], "q931.uil2": [6], "q931.uil3": [6]},
    ),
    (
        bearer.BearerCapability(8, rate=bearer.TransferRate.MULTIRATE, multiplier=6),
        {"q931.information_transfer_rate": [0x18], "q931.bearer_capability.rate_multiplier": [6]},
    ),
    (
        elements.Cause(CauseValue.USER_BUSY, Location.PUBLIC_REMOTE),
        {"q931.cause_location": [4], "q931.cause_value": [17]},
    ),
    (
        elements.Cause(CauseValue.RECOVERY_ON_TIMER_EXPIRY, diagnostics=b"303"),
        {"q931.cause_value": [102], "q931.cause_call.rec_timer": ["303"]},
    ),
    (
        elements.Cause(CauseValue.MANDATORY_ELEMENT_MISSING, diagnostics=b"\x18"),
        {"q931.cause_value": [96], "q931.information_element": [8, 0x18]},
    ),
    (elements.Cause(16, recommendation=0), {"q931.cause.recommendation": [0], "q931.cause_value": [16]}),
    (elements.CallIdentity(b"\x07"), {}),
    (elements.CallState(10), {"q931.call_state": [10]}),
    (
        channel.time_slot(31),
        {
            "q931.channel.interface_type": [1],
            "q931.channel.exclusive": [1],
            "q931.channel.dchan": [0],
            "q931.channel.selection": [1],
            "q931.channel.map": [0],
            "q931.channel.element_type": [3],
            "q931.channel.number": [31],
        },
    ),
    (channel.time_slot(5, exclusive=False), {"q931.channel.exclusive": [0], "q931.channel.number": [5]}),
    (
        channel.ChannelIdentification((1, 31), map_octets=4),
        {"q931.channel.map": [1], "q931.channel.slot_map": [0x80, 0, 0, 2]},
    ),
    (channel.ANY_CHANNEL, {"q931.channel.selection": [3], "q931.channel.exclusive": [0]}),
    (
        channel.ChannelIdentification((5,), interface=b"\x01"),
        {"q931.channel.interface_id_present": [1], "q931.channel.interface_id": [1], "q931.channel.number": [5]},
    ),
    (channel.ChannelIdentification(primary=False), {"q931.channel.interface_type": [0], "q931.channel.selection": [1]}),
    (
        facility.Facility(CALLING_NAME),
        {"q932.pp": [0x11], "q932.ros.present": [5], "q932.ros.local": [0]},
    ),
    (
        facility.Facility(
            bytes.fromhex("aa 06 80 01 00 82 01 00 8b 01 00") + CALLING_NAME,
            facility.Profile.NETWORKING_EXTENSIONS,
        ),
        {
            "q932.pp": [0x1F],
            "q932.sourceEntity": [0],
            "q932.destinationEntity": [0],
            "q932.InterpretationComponent": [0],
            "q932.ros.local": [0],
        },
    ),
    (
        elements.ProgressIndicator(8, Location.PRIVATE_LOCAL),
        {"q931.progress_indicator.location": [1], "q931.progress_indicator.description": [8]},
    ),
    (elements.NotificationIndicator(1), {"q932.nd": [1]}),
    (elements.Display("Recorder"), {"q931.display_information": ["Recorder"]}),
    (elements.DateTime(26, 11, 24, 1, 34), {"q931.date_time": ["1a:0b:18:01:22"]}),
    (elements.KeypadFacility("*21#"), {"q931.keypad_facility": ["*21#"]}),
    (elements.Signal(elements.SignalValue.TONES_OFF), {"q931.signal": [0x3F]}),
    (
        numbers.ConnectedNumber("42", 0, 0, numbers.Presentation(1, 3)),
        {
            "q931.connected_number.digits": ["42"],
            "q931.number_type": [0],
            "q931.numbering_plan": [0],
            "q931.presentation_ind": [1],
            "q931.screening_ind": [3],
        },
    ),
    (
        numbers.CallingPartyNumber("4711", 2, 1, numbers.Presentation(0, 1)),
        {"q931.calling_party_number.digits": ["4711"], "q931.number_type": [2], "q931.screening_ind": [1]},
    ),
    (
        numbers.CalledPartyNumber("0049", numbers.TypeOfNumber.INTERNATIONAL),
        {"q931.called_party_number.digits": ["0049"], "q931.number_type": [1], "q931.numbering_plan": [1]},
    ),
    (
        numbers.CalledPartySubaddress(b"\x12\x30", numbers.SubaddressType.USER, odd=True),
        {"q931.party_subaddr.type": [2], "q931.party_subaddr.odd_even": [1], "q931.party_subaddr": ["12:30"]},
    ),
    (numbers.CallingPartySubaddress(b"\x50\x31"), {"q931.party_subaddr.type": [0]}),
    (
        numbers.RedirectingNumber("42", 2, 1, numbers.Presentation(), numbers.RedirectionReason.UNCONDITIONAL),
        {"q931.redirecting_number.digits": ["42"], "q931.extension.reason": [15]},
    ),
    (numbers.RedirectionNumber("42", 2), {}),
    (elements.RestartIndicator(7), {"q931.restart_indicator": [7]}),
    (
        bearer.LowLayerCompatibility(layer1=bearer.Layer(bearer.Layer1.G711_A), negotiation=0x40),
        {"q931.out_band_negotiation": [1], "q931.uil1": [3]},
    ),
    (
        bearer.HighLayerCompatibility(bearer.HighLayer.TELEPHONY),
        {
            "q931.interpretation": [4],
            "q931.presentation_method_protocol_profile": [1],
            "q931.high_layer_characteristics": [1],
        },
    ),
    (elements.UserUser(b"hi"), {"q931.user.protocol_discriminator": [4], "q931.user.string": ["hi"]}),
    (elements.MoreData(), {"q931.more_data": []}),
    (elements.SendingComplete(), {"q931.sending_complete": []}),
    (elements.CongestionLevel(15), {"q931.congestion_level": [15]}),
    (elements.RepeatIndicator(), {"q931.repeat_indicator": [2]}),
]


SINGLE_OCTETS = {elements.MoreData, elements.SendingComplete, elements.CongestionLevel, elements.RepeatIndicator}
NOT_DISSECTED = (numbers.ConnectedSubaddress,)  # Wireshark 4.0 knows no element 0x4d


def same(seen: str, meant: int | str) -> bool:
    return int(seen, 0) == meant if isinstance(meant, int) else seen == meant


def test_every_element_is_dissected_as_meant(tmp_path: Path) -> None:
    assert {type(element) for element, _ in ELEMENTS} == set(BY_TYPE) - set(NOT_DISSECTED) | SINGLE_OCTETS
    frames = [carried(Message(MessageType.INFORMATION, REF, (element,))) for element, _ in ELEMENTS]
    trees = dissected(tmp_path / "elements.pcap", frames)
    assert len(trees) == len(ELEMENTS)
    for (element, meant), tree in zip(ELEMENTS, trees, strict=True):
        assert complaints(tree) == [], (element, tree)
        for name, values in meant.items():
            seen = tree.get(name)
            assert seen is not None, (element, name, tree)
            assert len(seen) >= len(values), (element, name, seen)
            assert all(same(*pair) for pair in zip(seen, values, strict=False)), (element, name, seen)


NEEDED: dict[int, Element] = {
    0xB0: elements.CongestionLevel(0),
    0x04: bearer.SPEECH_A_LAW,
    0x08: elements.Cause(CauseValue.NORMAL_CALL_CLEARING),
    0x14: elements.CallState(10),
    0x18: channel.time_slot(1),
    0x1C: facility.Facility(CALLING_NAME),
    0x1E: elements.ProgressIndicator(8),
    0x27: elements.NotificationIndicator(0),
    0x79: elements.RestartIndicator(),
    0x7E: elements.UserUser(b"hi"),
}
NOT_SEGMENTED = [kind for kind in MessageType if kind is not MessageType.SEGMENT]  # which Wireshark puts together


def test_every_message_is_dissected_as_meant(tmp_path: Path) -> None:
    messages = [codec.compose(kind, REF, *(NEEDED[number] for number in mandatory(kind))) for kind in NOT_SEGMENTED]
    trees = dissected(tmp_path / "messages.pcap", [carried(message) for message in messages])
    for kind, tree in zip(NOT_SEGMENTED, trees, strict=True):
        assert complaints(tree) == [], (kind, tree)
        assert int(tree["q931.message_type"][0], 0) == kind


def test_message_types_have_the_names_that_wireshark_gives_them() -> None:
    done = subprocess.run(["tshark", "-G", "values"], check=True, capture_output=True, text=True, timeout=60)
    rows = [line.split("\t") for line in done.stdout.splitlines() if line.startswith("V\tq931.message_type\t")]
    names = {int(row[2], 0): row[3].replace("_", " ") for row in rows}
    assert {kind: message_name(kind) for kind in MessageType} == {kind: names[kind] for kind in MessageType}


def test_call_references_are_dissected_as_meant(tmp_path: Path) -> None:
    meant = [
        (REF, ("2", ["0"], ["12:34"])),
        (REF.answered(), ("2", ["1"], ["12:34"])),
        (CallReference(5, to_origin=True, length=1), ("1", ["1"], ["05"])),
        (GLOBAL, ("2", ["0"], ["00:00"])),
        (DUMMY, ("0", [], [])),
    ]
    frames = [carried(Message(MessageType.INFORMATION, reference)) for reference, _ in meant]
    for (_, seen), tree in zip(meant, dissected(tmp_path / "references.pcap", frames), strict=True):
        assert complaints(tree) == []
        flag = [str(int(value in ("1", "True"))) for value in tree.get("q931.call_ref_flag", [])]
        assert (tree["q931.call_ref_len"][0], flag, tree.get("q931.call_ref", [])) == seen


def test_shifts_lead_to_the_codesets_meant(tmp_path: Path) -> None:
    said = (elements.Shift(5, locking=False), elements.Raw(0x32, b"\x81", 5), elements.Display("A"))
    (tree,) = dissected(
        tmp_path / "shift.pcap", [carried(Message(MessageType.SETUP, REF, (bearer.SPEECH_A_LAW, *said)))]
    )
    assert complaints(tree) == []
    assert (tree["qsig.pc"], tree["q931.display_information"]) == (["0x01"], ["A"])


FRMR = fields.FrameReject(b"\x77\0", 1, 2, undefined_control=True)
FRAMES: list[tuple[Frame, dict[str, list[int | str]]]] = [
    (command(U.SABME), {"lapd.control.u_modifier_cmd": [0x1B], "lapd.control.p": [1], "lapd.control.ftype": [3]}),
    (command(U.DISC, p=False), {"lapd.control.u_modifier_cmd": [0x10], "lapd.control.p": []}),
    (response(U.UA, f=True), {"lapd.control.u_modifier_resp": [0x18], "lapd.control.f": [1]}),
    (response(U.DM, f=False), {"lapd.control.u_modifier_resp": [3], "lapd.control.f": []}),
    (response(U.FRMR, f=True, octets=fields.write_frmr(FRMR)), {"lapd.control.u_modifier_resp": [0x21]}),
    (command(U.XID, dlci=Dlci(0, 64)), {"lapd.control.u_modifier_cmd": [0x2B], "lapd.tei": [64]}),
    (Supervisory(S.RR, 127, command=True, pf=True), {"lapd.control.s_ftype": [0], "lapd.control.n_r": [127]}),
    (Supervisory(S.RNR, 1, command=False), {"lapd.control.s_ftype": [1], "lapd.control.n_r": [1]}),
    (Supervisory(S.REJ, 5, command=False, pf=True), {"lapd.control.s_ftype": [2], "lapd.control.f": [1]}),
    (
        Information(126, 3, codec.encode(Message(MessageType.INFORMATION, REF)), p=True),
        {"lapd.control.n_s": [126], "lapd.control.n_r": [3], "lapd.control.p": [1], "lapd.control.ftype": [0]},
    ),
    (
        command(U.UI, p=False, octets=codec.encode(Message(MessageType.INFORMATION, REF)), dlci=Dlci(0, 127)),
        {"lapd.tei": [127], "lapd.sapi": [0], "q931.message_type": [0x7B]},
    ),
]


@pytest.mark.parametrize("sender", Side)
def test_every_frame_is_dissected_as_meant_from_either_side(tmp_path: Path, sender: Side) -> None:
    """Wireshark learns the sender from the header of LINUX_LAPD, and from it what C/R means; it shows P and F of 1."""
    header = struct.pack(">HHHB7xH", 4, 8445, 1, sender is Side.NETWORK, 0x30)
    trees = dissected(tmp_path / "frames.pcap", [header + encode(frame, sender) for frame, _ in FRAMES], LINUX_LAPD)
    for (frame, meant), tree in zip(FRAMES, trees, strict=True):
        assert complaints(tree) == [], (frame, tree)
        assert int(tree["lapd.cr"][0]) == (frame.command is (sender is Side.NETWORK))
        for name, values in meant.items():
            assert len(tree.get(name, [])) == len(values), (frame, name, tree)
            assert all(same(*pair) for pair in zip(tree.get(name, []), values, strict=True)), (frame, name, tree)


def test_the_dissector_objects_to_broken_messages(tmp_path: Path) -> None:
    """That it agrees with ours means something."""
    whole = carried(Message(MessageType.INFORMATION, REF, (channel.time_slot(5),)))
    trees = dissected(tmp_path / "broken.pcap", [whole[:-1], whole[:9] + b"\x3e\x01\x00", whole])
    assert [bool(complaints(tree)) for tree in trees] == [True, True, False]
