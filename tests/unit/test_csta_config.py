"""The [csta] section: what it means for the link, and what is said of mistakes."""

from pathlib import Path

import pytest

from osrec.config import Config, load
from osrec.csta.endpoints import Server
from osrec.errors import ConfigError
from osrec.recorder.parts import link_config
from osrec.wire.csta.model import ConferenceJoined, ConnectionId, MonitorFilter, ReturnResult, Session

SITE = """
[data]
directory = "data"
[csta]
{csta}
[[lines]]
name = "trunk1"
spec = "virtual:trunk1/b"
ports = ["7101-7130"]
[stations]
monitored = ["3100-3102"]
[[rules]]
name = "all"
action = "record"
"""
ONE = 'host = "192.0.2.1"\nport = 1040'
XML = f'{ONE}\nencoding = "xml"'


def site(directory: Path, csta: str) -> Config:
    path = directory / "osrec.toml"
    path.write_text(SITE.format(csta=csta))
    return load(path)


def test_one_server_is_host_and_port(tmp_path: Path) -> None:
    config = link_config(site(tmp_path, ONE))
    assert config.endpoints.servers == (Server("192.0.2.1", 1040),)
    assert (config.encoding, config.framing, config.link.associate) == ("asn1", "be2", True)
    assert config.link.devices == ("3100", "3101", "3102")


def test_several_servers_are_tried_in_their_order(tmp_path: Path) -> None:
    servers = '[[csta.servers]]\nhost = "a"\nport = 1\n[[csta.servers]]\nhost = "b"\nport = 2'
    config = link_config(site(tmp_path, f'fail_over_after = 12\nfail_back = "never"\n{servers}'))
    assert config.endpoints.servers == (Server("a", 1), Server("b", 2))
    assert (config.endpoints.fail_over_after, config.endpoints.fail_back) == (12.0, None)


def test_xml_without_session_has_no_association_and_its_own_framing(tmp_path: Path) -> None:
    config = link_config(site(tmp_path, f'{XML}\nedition = 5\ndevice_form = "tel:{{number}}"\nsystem_register = true'))
    assert (config.framing, config.edition, config.device_form) == ("xml8", 5, "tel:{number}")
    assert (config.link.associate, config.link.session, config.link.name) == (False, None, None)
    assert config.link.register
    assert config.dialect.last_invoke_id == 9998


def test_what_sites_differ_in_reaches_the_link(tmp_path: Path) -> None:
    plain = link_config(site(tmp_path, ONE))
    assert (plain.link.protocol_version, plain.link.monitor_filter, plain.element_names) == (False, None, ())
    config = link_config(site(tmp_path, f'{ONE}\nprotocol_version = true\nmonitor_filter = "zeros"'))
    assert (config.link.protocol_version, config.link.monitor_filter) == (True, MonitorFilter.ZEROS)
    named = link_config(site(tmp_path, f'{XML}\nelement_names = {{ conferencedCall = "joinedCall" }}'))
    assert named.element_names == (("conferencedCall", "joinedCall"),)
    answer = named.dialect.decode(
        b"0001<JoinCallResponse><joinedCall><callID>01</callID></joinedCall></JoinCallResponse>"
    )
    assert answer == ReturnResult(1, ConferenceJoined(ConnectionId(b"\1")), 223)


def test_an_xml_session_asks_for_what_is_configured(tmp_path: Path) -> None:
    text = f"{XML}\nsession = true\napplication = \"rec\"\nsession_seconds = 60\nsession_info = '<p>x</p>'"
    config = link_config(site(tmp_path, text))
    namespace = "http://www.ecma-international.org/standards/ecma-323/csta/ed4"
    assert config.link.session == Session("rec", (namespace,), 60, specific=b"<p>x</p>")
    assert config.link.associate


@pytest.mark.parametrize(
    ("csta", "said"),
    [
        ("", "csta.host: is missing; or name several servers, each in a [[csta.servers]] section"),
        (f'{ONE}\nservers = [{{ host = "b", port = 2 }}]', "csta.host: stands beside csta.servers"),
        ('servers = [{ host = "b", port = 2 }, { host = "b", port = 2 }]', "csta.servers[1]: b:2 is named twice"),
        ('servers = [{ host = "b", port = 0 }]', "csta.servers[0].port = 0"),
        (f'{ONE}\nframing = "xml8"', "csta.framing: framing 'xml8' with encoding 'asn1'"),
        (f'{XML}\nframing = "be2"', "csta.framing: framing 'be2' with encoding 'xml'"),
        (f'{ONE}\nencoding = "json"', "csta.encoding = 'json'"),
        (f'{XML}\npassword = "x"', 'csta.password: only encoding = "asn1" has it, encoding is "xml"'),
        (f"{ONE}\nsession = true", 'csta.session: only encoding = "xml" has it'),
        (f"{XML}\nsession_seconds = 60", "csta.session_seconds: has a meaning only with session = true"),
        (f"{XML}\nedition = 6", "csta.edition = 6"),
        (f'{XML}\ndevice_form = "none"', "csta.device_form = 'none': must have {number} once"),
        (f"{ONE}\nretry_first = 10\nretry_most = 5", "csta.retry_most: 5 is less than retry_first = 10"),
        (f'{ONE}\nfail_back = "soon"', "csta.fail_back"),
        (f"{ONE}\nqueue = 1", "csta.queue = 1: input should be greater than or equal to 100"),
        (f'{ONE}\nreference = "x"', "csta.reference = 'x'"),
        (f'{ONE}\nmonitor_filter = "all"', "csta.monitor_filter = 'all'"),
        (f'{XML}\nmonitor_filter = "zeros"', 'csta.monitor_filter: only encoding = "asn1" has it'),
        (f'{ONE}\nelement_names = {{ activeCall = "y" }}', 'csta.element_names: only encoding = "xml" has it'),
        (f'{XML}\nelement_names = {{ conferencedCal = "y" }}', "'conferencedCal' is no element whose name is assumed"),
    ],
)
def test_a_mistake_is_named_with_key_and_remedy(tmp_path: Path, csta: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        site(tmp_path, csta)
    assert said in str(caught.value)


def test_a_login_that_is_no_xml_is_refused_without_being_shown(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"csta\.session_info: is no XML element") as caught:
        site(tmp_path, f'{XML}\nsession = true\nsession_info = "<p>geheim"')
    assert "geheim" not in str(caught.value)


def test_passwords_do_not_show_in_the_configuration_as_text(tmp_path: Path) -> None:
    config = site(tmp_path, f'{ONE}\npassword = "geheim"')
    assert "geheim" not in repr(config.csta)
    assert "geheim" not in repr(link_config(config))
