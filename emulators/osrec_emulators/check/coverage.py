"""A conversation of the PBX against its entry in the ledger: is all talk recorded, or its lack told, and why?"""

from collections.abc import Iterator

from osrec_emulators.check.evidence import Evidence
from osrec_emulators.check.expected import Expected
from osrec_emulators.check.ledger import Entry, Ledger
from osrec_emulators.check.spans import Span, length, longer, overlaps, padded, text, union, within, without
from osrec_emulators.check.told import Conversation, forked, together


class Coverage:
    """Judges what an entry says about the audio of its conversation.

    Args:
        ledger: whose entries they are; where it says that it was blind, talk is told already.
        since: when the recorder began to be there: of talk before that it knows nothing.
    """

    def __init__(self, expected: Expected, evidence: Evidence, ledger: Ledger, since: float) -> None:
        self._expected = expected
        self._evidence = evidence
        self._ledger = ledger
        self._since = since
        self._tolerance = expected.tolerance

    def faults(self, conversation: Conversation, entry: Entry) -> Iterator[str]:
        """What is wrong with it, in words."""
        yield from self._shape(entry)
        yield from self._permission(conversation, entry)
        lacking: dict[str, list[Span]] = {}
        for station in self._expected.to_record(conversation):
            lacking[station] = self.lacking(conversation, entry, station)
            yield from self._unnamed(conversation, entry, station, lacking[station])
        yield from self._named(conversation, entry)
        yield from self._class(entry, {station: spans for station, spans in lacking.items() if spans})
        yield from self._reason(conversation, entry)

    def lacking(self, conversation: Conversation, entry: Entry, station: str) -> list[Span]:
        """Talk of a station that no recording has and that was not hidden from the recorder, but for the tolerance."""
        talk = union(each.span for each in conversation.talk(station))
        hidden = [(float("-inf"), self._since), *self._blind(station)]
        return longer(without(talk, [*hidden, *self._recorded(conversation, entry, station)]), self._tolerance)

    def _blind(self, station: str) -> list[Span]:
        return [each.span for each in self._ledger.blind if each.station in (None, station)]

    def _recorded(self, conversation: Conversation, entry: Entry, station: str) -> list[Span]:
        """When a station is heard in recordings: its own, or those of others while it talks in the same call.

        What the PBX did not send then is not in a recording, however long it lasts.
        """
        covered = []
        for recording in entry.recordings:
            spans = without([recording.span], (gap.span for gap in recording.gaps))
            spans = within(spans, forked(conversation, recording.station))
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
        """Whether what is recorded may be."""
        if entry.recordings and self._expected.is_never(conversation):
            yield "is recorded, and somebody takes part who is never to be recorded"
        elif entry.recordings and not self._expected.is_on_demand(conversation):
            allowed = self._expected.to_record(conversation)
            for station in dict.fromkeys(recording.station for recording in entry.recordings):
                if station not in allowed:
                    yield f"station {station} is recorded, and is not to be"
        for recording in entry.recordings:
            if not any(talk.station == recording.station for talk in conversation.talks):
                yield f"recording {recording.id} is of station {recording.station}, which never talked in it"

    def _unnamed(self, conversation: Conversation, entry: Entry, station: str, lacking: list[Span]) -> Iterator[str]:
        """Talk that is neither recorded nor named; and named, but for a cause that the truth does not know."""
        if entry.class_ == "not_recorded" and not entry.missed:
            return  # the reason is for all of it
        named = [(each.span, each.cause) for each in entry.missed if each.station == station]
        for recording in entry.recordings:
            named += [(gap.span, gap.cause) for gap in recording.gaps]
        unnamed = without(lacking, padded((each for each, _ in named), self._tolerance))
        if unnamed := longer(unnamed, self._tolerance):
            yield f"station {station}: {text(unnamed)}, talk that is not recorded and not named"
        for piece in lacking:
            near = [(each, cause) for each, cause in named if overlaps(each, piece)]
            if near and not any(self._is_true(cause, conversation, station, each) for each, cause in near):
                causes = ", ".join(sorted({cause for _, cause in near}))
                yield f"station {station}: {text([piece])} are missing for {causes}, which the PBX does not bear out"

    def _named(self, conversation: Conversation, entry: Entry) -> Iterator[str]:
        """What is said to be missed must have been talk, and not be recorded, as far as the recorder could know."""
        answers = any(fault.kind in ("late", "unanswered") for fault in conversation.faults)
        for each in entry.missed:
            talk = padded((talk.span for talk in conversation.talk(each.station, heard=False)), self._tolerance)
            seen = without([each.span], self._evidence.troubles.blind(each.station))
            if seen and not within([each.span], talk):
                yield f"station {each.station}: {text([each.span])} are said to be missed, and it did not talk then"
            recorded = within([each.span], self._recorded(conversation, entry, each.station))
            if (recorded := longer(recorded, self._tolerance)) and not answers:
                yield f"station {each.station}: {text(recorded)} are said to be missed, and are recorded"
            if each.cause not in self._evidence.causes:
                yield f"station {each.station}: missed for {each.cause!r}, which is no cause"
            elif longer([each.span], self._tolerance) and not self._is_true(
                each.cause, conversation, each.station, each.span
            ):
                yield f"station {each.station}: {text([each.span])} missed for {each.cause}, {_UNTRUE}"

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
        if causes and entry.reason not in causes:
            yield f"is not recorded for {entry.reason}, and what it missed is missed for {', '.join(sorted(causes))}"
        wanted = self._expected.to_record(conversation)
        talking = [station for station in wanted if length(each.span for each in conversation.talk(station)) > 0]
        if not wanted or not talking:
            station = (self._expected.watched(conversation) or [""])[0]
            if not self._is_true(entry.reason, conversation, station, conversation.span):
                yield f"is not recorded for {entry.reason}, which the PBX does not bear out"
            return
        for station in talking:
            for talk in union(each.span for each in conversation.talk(station)):
                if talk[1] - talk[0] > self._tolerance and not self._told(entry, conversation, station, talk):
                    yield f"station {station}: {text([talk])} are not recorded for {entry.reason}, {_UNTRUE}"

    def _told(self, entry: Entry, conversation: Conversation, station: str, talk: Span) -> bool:
        """Missed pieces have their own causes, which are judged there; the reason is for the rest."""
        if any(each.station == station and overlaps(each.span, talk) for each in entry.missed):
            return True
        assert entry.reason is not None
        return self._is_true(entry.reason, conversation, station, talk)

    def _is_true(self, cause: str, conversation: Conversation, station: str, span: Span) -> bool:
        return cause in self._expected.gaps or self._evidence.supports(cause, conversation, station, span)


_UNTRUE = "which the PBX does not bear out"
