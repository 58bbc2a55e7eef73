"""A conversation of the PBX against its entry in the ledger: is all talk recorded, or its lack told, and why?"""

from collections.abc import Iterator
from dataclasses import replace

from osrec_emulators.check.evidence import Evidence
from osrec_emulators.check.expected import Expected
from osrec_emulators.check.ledger import Entry, Ledger
from osrec_emulators.check.spans import Span, longer, overlaps, padded, text, union, within, without
from osrec_emulators.check.told import Conversation, forked, together
from osrec_emulators.check.troubles import ABSENT
from osrec_emulators.check.wanted import Wanted

MOMENT = 0.01  # seconds between two things that happen at once


class Coverage:
    """Judges what an entry says about the audio of its conversation.

    Args:
        ledger: whose entries they are; where it says that it was blind, talk is told already.
        since: when the recorder began to be there: of talk before that it knows nothing.
    """

    def __init__(self, expected: Expected, wanted: Wanted, evidence: Evidence, ledger: Ledger, since: float) -> None:
        self._expected = expected
        self._wanted = wanted
        self._evidence = evidence
        self._ledger = ledger
        self._since = since
        self._tolerance = expected.tolerance

    def faults(self, conversation: Conversation, entry: Entry) -> Iterator[str]:
        """What is wrong with it, in words."""
        yield from self._shape(entry)
        yield from self._permission(conversation, entry)
        lacking: dict[str, list[Span]] = {}
        for station in self._expected.watched(conversation):
            lacking[station] = self.lacking(conversation, entry, station)
            yield from self._unnamed(conversation, entry, station, lacking[station])
        yield from self._named(conversation, entry)
        yield from self._class(entry, {station: spans for station, spans in lacking.items() if spans})
        yield from self._reason(conversation, entry)

    def lacking(self, conversation: Conversation, entry: Entry, station: str) -> list[Span]:
        """Talk of a station that no recording has and that was not hidden from the recorder, but for the tolerance."""
        talk = self._required(conversation, entry, station)
        lacking = longer(without(talk, self._recorded(conversation, entry, station)), self._tolerance)
        return [each for each in lacking if not self._is_excepted(conversation, station, each)]

    def _is_excepted(self, conversation: Conversation, station: str, span: Span) -> bool:
        return self._was_setting_up(conversation, station, span) or self._was_ending(conversation, station, span)

    def _was_setting_up(self, conversation: Conversation, station: str, span: Span) -> bool:
        """Whether the PBX had not answered yet, and not for so long that a recorder has to tell (`late_after`)."""
        soon = span[1] - span[0] <= self._expected.times.late_after
        return soon and self._evidence.supports("requested_late", conversation, station, span)

    def _was_ending(self, conversation: Conversation, station: str, span: Span) -> bool:
        """Whether the PBX took the fork out so shortly before the talk ended that it could be because of the end.

        A PBX that clears a call takes one after the other out of it: until `port_loss` has passed nobody can tell.
        """
        soon = span[1] - span[0] <= self._expected.times.port_loss
        ended = any(abs(talk.span[1] - span[1]) <= MOMENT for talk in conversation.talk(station))
        return soon and ended and self._evidence.lost_at(conversation, station, span)

    def _required(self, conversation: Conversation, entry: Entry, station: str) -> list[Span]:
        """Talk that was to be recorded and that was not hidden from the recorder."""
        return without(self._wanted.required(conversation, entry.id, station), self._hidden(station))

    def _seen(self, conversation: Conversation) -> Conversation:
        """Without the talk that was hidden from the recorder."""
        talks = (
            replace(talk, span=piece)
            for talk in conversation.talks
            for piece in without([talk.span], self._hidden(talk.station))
        )
        return replace(conversation, talks=tuple(talks))

    def _hidden(self, station: str) -> list[Span]:
        """Before it ran, and where it says that it was blind."""
        blind = (each.span for each in self._ledger.blind if each.station in (None, station))
        return [(float("-inf"), self._since), *blind]

    def _recorded(self, conversation: Conversation, entry: Entry, station: str, *, known: bool = False) -> list[Span]:
        """When a station is heard in recordings: its own, or those of others while it talks in the same call.

        What the PBX did not send then is not in a recording, however long it lasts.

        Args:
            known: only as far as the recorder could know: somebody told it of both stations, and that they were forked.
        """
        covered = []
        for recording in entry.recordings:
            spans = without([recording.span], (gap.span for gap in recording.gaps))
            spans = within(spans, forked(conversation, recording.station))
            if known:
                spans = without(spans, self._evidence.untold(conversation, recording.station, station))
            if recording.station != station:
                if self._expected.each:
                    continue
                spans = within(spans, together(conversation, station, recording.station))
            covered += spans
        return union(covered)

    # --- what an entry says

    @staticmethod
    def _shape(entry: Entry) -> Iterator[str]:
        """Whether class, reason, recordings and what was missed go together."""
        gaps = any(recording.gaps for recording in entry.recordings)
        match entry.class_:
            case "recorded" if not entry.recordings:
                yield "is said to be recorded, without a recording"
            case "recorded" if entry.missed or gaps:
                yield "is said to be recorded in full, and names what is missing"
            case "gaps" if not entry.recordings:
                yield "is said to be recorded with gaps, without a recording"
            case "gaps" if not entry.missed and not gaps:
                yield "is said to have gaps, and names none"
            case "not_recorded" if entry.recordings:
                yield "is said not to be recorded, with a recording"
            case "not_recorded" if entry.reason is None:
                yield "is not recorded, without a reason"

    def _permission(self, conversation: Conversation, entry: Entry) -> Iterator[str]:
        """Whether what is recorded may be, as far as the recorder was told of it."""
        for recording in entry.recordings:
            talk = [each.span for each in conversation.talk(recording.station)]
            if not talk:
                yield f"recording {recording.id} is of station {recording.station}, which never talked in it"
            allowed = self._wanted.allowed(conversation, entry.id, recording.station)
            blind = [span for one in conversation.stations for span in self._evidence.troubles.blind(one)]
            held = without([recording.span], (gap.span for gap in recording.gaps))
            excess = without(
                within(held, talk), [*padded(allowed, self._tolerance + self._expected.times.tail), *blind]
            )
            if excess := longer(excess, self._tolerance):
                yield f"station {recording.station}: {text(excess)} are recorded, and are not to be"

    def _unnamed(self, conversation: Conversation, entry: Entry, station: str, lacking: list[Span]) -> Iterator[str]:
        """Talk that is neither recorded nor named; and named, but for a cause that the truth does not know."""
        if entry.class_ == "not_recorded" and not entry.missed:
            return  # the reason is for all of it
        named = [(each.span, each.cause) for each in entry.missed if each.station == station]
        for recording in entry.recordings:
            named += [(gap.span, gap.cause) for gap in recording.gaps]
        set_up = [
            each
            for each in without(lacking, (each for each, _ in named))
            if self._is_excepted(conversation, station, each)
        ]
        unnamed = without(lacking, [*set_up, *padded((each for each, _ in named), self._tolerance)])
        if unnamed := longer(unnamed, self._tolerance):
            yield f"station {station}: {text(unnamed)}, talk that is not recorded and not named"
        for piece in lacking:
            near = [(each, cause) for each, cause in named if overlaps(each, piece)]
            if near and not any(self._is_true(cause, entry, conversation, station, each) for each, cause in near):
                causes = ", ".join(sorted({cause for _, cause in near}))
                yield f"station {station}: {text([piece])} are missing for {causes}, {_UNTRUE}"

    def _named(self, conversation: Conversation, entry: Entry) -> Iterator[str]:
        """What is said to be missed must have been talk, and not be recorded, as far as the recorder could know."""
        for each in entry.missed:
            talk = padded((talk.span for talk in conversation.talk(each.station, heard=False)), self._tolerance)
            seen = without([each.span], self._evidence.troubles.blind(each.station))
            silent = not within(seen, talk) if each.cause in _UNWANTED else longer(without(seen, talk), self._tolerance)
            if seen and silent:
                yield f"station {each.station}: {text([each.span])} are said to be missed, and it did not talk then"
            if each.cause not in _UNWANTED and (never := self._never(conversation, each.station, each.span)):
                yield f"station {each.station}: {text(never)} are said to be missed, and are never to be recorded"
            recorded = within([each.span], self._recorded(conversation, entry, each.station, known=True))
            if each.cause == "not_kept":  # of its own: that of somebody whom it talked with may have been kept
                recorded = within(recorded, (one.span for one in entry.recordings if one.station == each.station))
                recorded = longer(recorded, self._expected.times.tail + self._tolerance)  # the end of what was kept
            if recorded := longer(recorded, self._tolerance):
                yield f"station {each.station}: {text(recorded)} are said to be missed, and are recorded"
            if each.cause not in self._evidence.causes:
                yield f"station {each.station}: missed for {each.cause!r}, which is no cause"
            elif longer(seen, self._tolerance) and not self._is_true(
                each.cause, entry, conversation, each.station, each.span
            ):
                yield f"station {each.station}: {text([each.span])} missed for {each.cause}, {_UNTRUE}"

    def _never(self, conversation: Conversation, station: str, span: Span) -> list[Span]:
        """What of a station's talk may not be recorded at all, as far as the recorder was told of it.

        What was missed before is missed, whatever the conversation is not recorded for in the end.
        """
        never = (
            piece
            for talk in conversation.talk(station, heard=False)
            for piece in within([talk.span], self._wanted.forbidden(conversation, talk))
        )
        blind = (each for one in conversation.stations for each in self._evidence.troubles.blind(one))
        return longer(without(within([span], never), blind), self._tolerance)

    @staticmethod
    def _class(entry: Entry, lacking: dict[str, list[Span]]) -> Iterator[str]:
        if entry.class_ == "recorded":
            for station, spans in lacking.items():
                yield f"is said to be recorded in full; station {station}: {text(spans)} are not"

    def _reason(self, conversation: Conversation, entry: Entry) -> Iterator[str]:
        """Whether nothing was recorded for the reason that is given."""
        if entry.class_ != "not_recorded" or entry.reason is None:
            return
        if entry.reason not in self._evidence.causes:
            yield f"is not recorded for {entry.reason!r}, which is no reason"
            return
        causes = {each.cause for each in entry.missed}
        if causes and entry.reason not in (*causes, *_UNWANTED):  # what is not wanted is not missed
            yield f"is not recorded for {entry.reason}, and what it missed is missed for {', '.join(sorted(causes))}"
        watched = self._expected.watched(conversation)
        talks = {station: self._required(conversation, entry, station) for station in watched}
        if not any(talks.values()):
            seen = self._seen(conversation)
            whose = [station for station in watched if seen.talk(station)] or watched or [""]
            if entry.reason not in self._expected.gaps and not self._evidence.hid(entry.reason, seen, whose):
                yield f"is not recorded for {entry.reason}, {_UNTRUE}"
            return
        for station, spans in talks.items():
            for talk in spans:
                if talk[1] - talk[0] > self._tolerance and not self._told(entry, conversation, station, talk):
                    yield f"station {station}: {text([talk])} are not recorded for {entry.reason}, {_UNTRUE}"

    def _told(self, entry: Entry, conversation: Conversation, station: str, talk: Span) -> bool:
        """Missed pieces have their own causes, which are judged there; the reason is for the rest."""
        if any(each.station == station and overlaps(each.span, talk) for each in entry.missed):
            return True
        assert entry.reason is not None
        return self._is_true(entry.reason, entry, conversation, station, talk)

    def _is_true(self, cause: str, entry: Entry, conversation: Conversation, station: str, span: Span) -> bool:
        """What a rule did not want, or nobody asked for, is nothing that had to be recorded."""
        if cause in _UNWANTED and longer(within([span], self._required(conversation, entry, station)), self._tolerance):
            return False
        if cause == "paused":
            return not longer(without([span], padded(self._wanted.paused_for(conversation), self._tolerance)), 0.0)
        if cause in ABSENT:
            return cause in self._expected.gaps and self._evidence.absent(span)
        return cause in self._expected.gaps or self._evidence.supports(cause, conversation, station, span)


_UNWANTED = ("never", "no_rule", "not_kept")
_UNTRUE = "which the PBX does not bear out"
