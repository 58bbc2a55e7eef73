"""The parts of a recorder, made as the configuration says."""

from uuid6 import uuid7

from osrec.calls.tracker import Tracker
from osrec.config import Config
from osrec.csta.messages import LinkConfig
from osrec.csta.runner import RunnerConfig
from osrec.engine.engine import Engine
from osrec.engine.fork import SilentConference
from osrec.engine.pool import Pair, Pool, Port
from osrec.engine.rules import Rule, RuleSet
from osrec.engine.settings import EngineConfig
from osrec.numbers import Patterns, expand
from osrec.store.config import StoreConfig


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


def build_engine(config: Config) -> Engine:
    """Engine, tracker, rules and pool as the configuration says."""
    pairs = [Pair(line.name, Port(*own), Port(*other)) for line in config.lines for own, other in line.pairs()]
    monitored = expand(config.stations.monitored)
    ports = [port.number for pair in pairs for port in (pair.own, pair.other)]
    tracker = Tracker(monitored, Patterns(config.stations.trunks), ports, uuid7)
    rules = RuleSet(
        [
            Rule(
                rule.name,
                rule.action,
                Patterns(rule.stations) if rule.stations is not None else None,
                Patterns(rule.numbers) if rule.numbers is not None else None,
                frozenset(rule.direction) if rule.direction is not None else None,
            )
            for rule in config.rules
        ]
    )
    how = config.recording
    engine_config = EngineConfig(
        internal=how.internal,
        tail=how.tail,
        quiet_after=how.quiet_after,
        energy=how.energy_dbm0,
        audio_end=how.audio_end,
    )
    strategy = SilentConference(own_first=how.fork_order == "own-first")
    return Engine(engine_config, tracker, rules, Pool(pairs), strategy, uuid7)


def link_config(config: Config) -> RunnerConfig:
    csta = config.csta
    return RunnerConfig(
        host=csta.host,
        port=csta.port,
        framing=csta.framing,
        link=LinkConfig(
            devices=tuple(expand(config.stations.monitored)),
            name=csta.name.encode() if csta.authentication else None,
            password=csta.password.encode() if csta.authentication else None,
            context=csta.context,
            version=(bytes.fromhex(csta.version), csta.version_bits),
            window=csta.window,
            starts_per_second=csta.starts_per_second,
            heartbeat=csta.heartbeat,
        ),
    )
