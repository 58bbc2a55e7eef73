"""The parts of a recorder, made as the configuration says."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime

from uuid6 import uuid7

from osrec.calls.numbering import Site
from osrec.calls.tracker import Tracker
from osrec.config import Config
from osrec.config_csta import Csta
from osrec.config_recording import Recording
from osrec.csta.settings import LinkConfig, RunnerConfig
from osrec.engine.engine import Engine
from osrec.engine.fork import FeatureCall, ForkStrategy, PrivateEscape, SilentConference, SilentJoin
from osrec.engine.fork_template import start_template, stop_template
from osrec.engine.pool import Pair, Pool, Port
from osrec.engine.settings import EngineConfig
from osrec.numbers import Patterns, expand
from osrec.recorder.cas_trunk import CasTrunk
from osrec.recorder.isdn_trunk import IsdnTrunk
from osrec.recorder.rules import build_rules
from osrec.recorder.trunks import Trunk
from osrec.store.config import StoreConfig
from osrec.store.records import Channel, Opened
from osrec.wire.csta.model import MonitorFilter, Session
from osrec.wire.csta.xml_names import namespace_of
from osrec_drivers.line import Line


def store_config(config: Config) -> StoreConfig:
    data = config.data
    return StoreConfig(
        data=data.directory,
        spare=data.spare_directory,
        segment_bytes=data.segment_mib * 1024 * 1024,
        segments=data.segments,
        reserve_seconds=data.reserve_seconds,
        resume_seconds=data.resume_seconds,
    )


def numbering(config: Config) -> Site:
    """How numbers of the site become E.164."""
    site = config.site
    return Site(
        site.country,
        site.area,
        site.main,
        site.trunk_prefix,
        site.international,
        site.shortest,
        site.access_code,
    )


def build_engine(config: Config, loaded: datetime | None = None) -> Engine:
    """Engine, tracker, rules and pool as the configuration says; `loaded`: when it was read."""
    pairs = [Pair(line.name, Port(*own), Port(*other)) for line in config.lines for own, other in line.pairs()]
    monitored = expand(config.stations.monitored)
    ports = [port.number for pair in pairs for port in (pair.own, pair.other)]
    site = config.site
    tracker = Tracker(
        monitored,
        Patterns(config.stations.trunks),
        ports,
        uuid7,
        site=numbering(config),
        groups=Patterns(site.groups),
        queues_talk=site.queues_talk,
        network_answers=site.network_answers,
        linger=site.late_events,
    )
    rules = build_rules(config, loaded)
    engine_config = engine_settings(config.recording, config.csta.snapshot_calls)
    signalled = [line.name for line in config.lines if line.signalling != "none"]
    return Engine(engine_config, tracker, rules, Pool(pairs), fork_strategy(config.recording), uuid7, signalled)


def build_trunks(config: Config, lines: Mapping[str, Line], adopted: Iterable[Opened], now: float) -> dict[str, Trunk]:
    """The signalling of the lines that have one. `adopted`: recordings that go on there."""
    going_on = defaultdict[str, list[Channel]](list)
    for channel in (channel for opened in adopted for channel in opened.channels):
        going_on[channel.line].append(channel)
    trunks: dict[str, Trunk] = {}
    for section in config.lines:
        name = section.name
        match section.signalling:
            case "dss1" | "qsig":
                trunks[name] = IsdnTrunk(section, lines[name], now, going_on[name])
            case "cas":
                slots = [channel.slot for channel in going_on[name]]
                trunks[name] = CasTrunk(name, section.cas.config(), section.ports_by_slot, lines[name], now, slots)
    return trunks


def engine_settings(how: Recording, snapshot_calls: bool) -> EngineConfig:
    return EngineConfig(
        internal=how.internal,
        tail=how.tail,
        attempts=how.fork_attempts,
        fork_timeout=how.fork_timeout,
        pair_rest=how.pair_rest,
        losses=how.fork_losses,
        idle_lost=how.idle_lost,
        preempt=how.preempt,
        line_patience=how.line_patience,
        suspect_after=how.suspect_after,
        late_after=how.late_after,
        quiet_after=how.quiet_after,
        energy=how.energy_dbm0,
        audio_end=how.audio_end,
        outage_end=how.outage_end,
        snapshot_calls=snapshot_calls,
        forgotten_after=how.forgotten_after,
    )


def fork_strategy(how: Recording) -> ForkStrategy:
    """The way of forking that the configuration names."""
    own_first = how.fork_order == "own-first"
    match how.fork:
        case "single-step-conference":
            return SilentConference(own_first)
        case "join-call":
            return SilentJoin(own_first)
        case "make-call":
            return FeatureCall(how.fork_codes.own, how.fork_codes.other, own_first)
        case "escape":
            return PrivateEscape(start_template(how.fork_escape.start), stop_template(how.fork_escape.stop))


def link_config(config: Config) -> RunnerConfig:
    csta = config.csta
    (host, port), *spares = csta.addresses
    return RunnerConfig(
        host=host,
        port=port,
        spares=tuple(spares),
        encoding=csta.encoding,
        edition=csta.edition,
        device_form=csta.device_form,
        element_names=tuple(csta.element_names.items()),
        framing=csta.framing_used,
        frame_limit=csta.frame_limit,
        queue=csta.queue,
        fail_over_after=csta.fail_over_after,
        fail_back=None if csta.fail_back == "never" else csta.fail_back,
        probe_every=csta.probe_every,
        link=LinkConfig(
            devices=tuple(expand(config.stations.monitored)),
            associate=csta.encoding == "asn1" or csta.session,
            session=_session(csta),
            name=csta.name.encode() if csta.authentication and csta.encoding == "asn1" else None,
            password=csta.password.encode() if csta.authentication and csta.encoding == "asn1" else None,
            context=csta.context,
            version=(bytes.fromhex(csta.version), csta.version_bits),
            reference=csta.reference,
            protocol_version=csta.protocol_version,
            register=csta.system_register,
            association_timeout=csta.association_timeout,
            status_timeout=csta.status_timeout,
            request_timeout=csta.request_timeout,
            heartbeat=csta.heartbeat,
            heartbeat_by=csta.heartbeat_by,
            heartbeat_timeout=csta.heartbeat_timeout,
            heartbeat_misses=csta.heartbeat_misses,
            monitor_filter=None if csta.monitor_filter == "none" else MonitorFilter(csta.monitor_filter),
            window=csta.window,
            starts_per_second=csta.starts_per_second,
            retry_first=csta.retry_first,
            retry_most=csta.retry_most,
            licence_retry=csta.licence_retry,
            snapshot_calls=csta.snapshot_calls,
        ),
    )


def _session(csta: Csta) -> Session | None:
    """What an XML session asks for."""
    if not csta.session:
        return None
    specific = None if csta.session_info is None else csta.session_info.encode()
    return Session(csta.application, (namespace_of(csta.edition),), csta.session_seconds, specific=specific)
