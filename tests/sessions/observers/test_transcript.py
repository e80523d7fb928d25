"""Events in, items out: what was said, when, and how much of it was heard."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.access import Clock
from vivavoce.protocol.frame import AUDIO_DELTA, GAP, Frame
from vivavoce.sessions.observers.noted import LONGEST
from vivavoce.sessions.observers.remembered import REMEMBERED
from vivavoce.sessions.observers.transcript import TOLD, Transcript
from vivavoce.store.items import END, Item

WORDS = "conversation.item.input_audio_transcription"
TYPES = [*TOLD, AUDIO_DELTA]
KEYS = """id item item_id type response response_id output content content_index transcript text delta audio_end_ms
audio_start_ms status role session audio format conversation_id previous_item_id seconds speaker arguments""".split()
SECOND = bytes(48_000)
"""Of 24 kHz PCM."""


class Stream:
    """A transcript, and what came out of it last, by id."""

    def __init__(self, *, media: bool = False) -> None:
        self.clock = Clock()
        self.transcript = Transcript(self.clock, media=media)
        self.written: dict[str, Item] = {}

    def tell(self, type: str, audio: bytes | None = None, **data: Any) -> list[Item]:
        frame = Frame(type, {"type": type, **data}, audio)
        if type == AUDIO_DELTA:
            self.transcript.sound(frame)
            return []
        items = self.transcript.told(frame)
        self.written |= {item.id: item for item in items}
        return items

    def rest(self) -> None:
        self.written |= {item.id: item for item in self.transcript.rest()}

    def answer(self, *clauses: str, id: str = "a", **response: Any) -> None:
        """As it is made: a second of sound for each clause, its words first."""
        response = {"id": "resp_1", "conversation_id": "conv_1", **response}
        self.tell("response.created", response=response)
        begun = {"id": id, "type": "message", "role": "assistant", "status": "in_progress", "content": []}
        self.tell("response.output_item.added", response_id=response["id"], item=begun)
        if response["conversation_id"]:
            self.tell("conversation.item.added", item=begun, previous_item_id="u")
        for clause in clauses:
            self.tell("response.output_audio_transcript.delta", item_id=id, content_index=0, delta=clause)
            self.tell(AUDIO_DELTA, SECOND, item_id=id, content_index=0)

    def done(self, words: str, id: str = "a", status: str = "completed") -> None:
        content = [{"type": "output_audio", "transcript": words}]
        item = {"id": id, "type": "message", "role": "assistant", "status": status, "content": content}
        self.tell("response.output_item.done", response_id="resp_1", item=item)
        self.tell("conversation.item.done", item=item, previous_item_id="u")


def spoken(id: str = "u", transcript: str | None = None) -> dict[str, Any]:
    content = [{"type": "input_audio", "transcript": transcript}]
    return {"id": id, "type": "message", "role": "user", "status": "completed", "content": content}


def test_what_a_user_says_is_written_when_it_ends_and_again_when_it_is_understood():
    stream = Stream()
    stream.tell("input_audio_buffer.speech_started", item_id="u", audio_start_ms=400)
    stream.clock.now += 2
    stream.tell("input_audio_buffer.speech_stopped", item_id="u", audio_end_ms=1900)
    stream.tell("input_audio_buffer.committed", item_id="u", previous_item_id=None)
    assert stream.written == {}
    stream.tell("conversation.item.added", item=spoken(), previous_item_id=None)
    stream.tell("conversation.item.done", item=spoken(), previous_item_id=None)
    said = Item(
        id="u", type="message", role="user", item=spoken(), status="completed", said_at=1_000.0, ms=1500, previous=None
    )
    assert stream.written["u"] == said
    stream.clock.now += 5
    stream.tell(f"{WORDS}.completed", item_id="u", content_index=0, transcript="Where is it?", usage={})
    assert stream.written["u"] == replace(said, item=spoken(transcript="Where is it?"), words="Where is it?")


def test_what_was_not_understood_stays_as_it_was():
    stream = Stream()
    stream.tell("conversation.item.done", item=spoken(), previous_item_id=None)
    assert stream.tell(f"{WORDS}.failed", item_id="u", content_index=0, error={"message": "no"}) == []
    assert stream.written["u"].words == ""


def test_speakers_that_are_told_apart():
    stream = Stream()
    stream.tell("conversation.item.done", item=spoken(), previous_item_id=None)
    stream.tell(f"{WORDS}.segment", item_id="u", content_index=0, speaker="A", text=" Hello. ")
    stream.tell(f"{WORDS}.segment", item_id="u", content_index=0, speaker="B", text="Hi.")
    stream.tell(f"{WORDS}.completed", item_id="u", content_index=0, transcript="Hello. Hi.")
    assert stream.written["u"].words == "A: Hello.\nB: Hi."
    assert stream.written["u"].item["content"][0]["transcript"] == "Hello. Hi."


def test_an_answer_is_written_sentence_by_sentence_and_whole_at_its_end():
    stream = Stream()
    stream.answer("First", " thing. ")
    assert stream.written["a"].words == "First thing. "
    assert (stream.written["a"].status, stream.written["a"].previous) == ("in_progress", "u")
    stream.done("First thing. Second.")
    whole = stream.written["a"]
    assert (whole.words, whole.status, whole.ms, whole.said_at) == ("First thing. Second.", "completed", 2000, 1_000.0)
    assert whole.place == "conversation"


def test_of_an_answer_that_was_cut_only_what_was_heard():
    stream = Stream()
    stream.answer("One two three four.", " Five six seven eight.", " Nine ten.")
    stream.done("One two three four. Five six seven eight. Nine ten.", status="incomplete")
    stream.tell("conversation.item.truncated", item_id="a", content_index=0, audio_end_ms=1_500)
    cut = stream.written["a"]
    assert cut.words == cut.item["content"][0]["transcript"] == "One two three four. Five six"
    assert (cut.ms, cut.status) == (1_500, "incomplete")
    stream.done("One two three four. Five six seven eight. Nine ten.", status="incomplete")
    assert stream.written["a"].words == "One two three four. Five six"
    stream.tell("conversation.item.truncated", item_id="a", content_index=0, audio_end_ms=0)
    assert stream.written["a"].words == ""


def test_a_cut_is_told_before_the_end_and_the_answerer_knows_better_what_was_heard():
    stream = Stream()
    stream.answer("One two three four.", " Five six seven eight.")
    stream.tell("conversation.item.truncated", item_id="a", content_index=0, audio_end_ms=1_700)
    assert stream.written["a"].words == "One two three four. Five six seven"
    stream.done("One two three four. Five", status="incomplete")
    assert stream.written["a"].words == "One two three four. Five"


def test_a_cut_of_sound_that_nobody_here_heard_is_estimated():
    stream = Stream()
    words = "This is a long answer of which nobody here has heard the sound, so it is estimated."
    stream.answer()
    stream.tell("response.output_audio_transcript.delta", item_id="a", content_index=0, delta=words)
    stream.tell("conversation.item.truncated", item_id="a", content_index=0, audio_end_ms=2_000)
    assert stream.written["a"].words == words[: 2 * 15] == "This is a long answer of which"


def test_on_a_track_an_answer_is_said_when_it_sounds():
    stream = Stream(media=True)
    stream.answer("One.", " Two.")
    stream.clock.now += 3
    stream.tell("output_audio_buffer.started", response_id="resp_1")
    stream.done("One. Two.")
    stream.clock.now += 2
    stream.tell("output_audio_buffer.stopped", response_id="resp_1")
    assert (stream.written["a"].said_at, stream.written["a"].ms) == (1_003.0, 2_000)


def test_a_call_that_passes_us_by_is_timed_by_its_buffer():
    stream = Stream(media=True)
    stream.answer()
    stream.tell("response.output_audio_transcript.delta", item_id="a", content_index=0, delta="One. Two.")
    stream.clock.now += 1
    stream.tell("output_audio_buffer.started", response_id="resp_1")
    stream.done("One. Two.")
    stream.clock.now += 4
    stream.tell("output_audio_buffer.stopped", response_id="resp_1")
    assert (stream.written["a"].said_at, stream.written["a"].ms) == (1_001.0, 4_000)


@pytest.mark.parametrize(
    ("media", "words"), [(True, "One two three four. Five six"), (False, "One two three four. Five six seven eight.")]
)
def test_a_session_that_ends_in_mid_answer(media: bool, words: str):
    """A track goes with its session; who has the sound already may play all of it."""
    stream = Stream(media=media)
    stream.answer("One two three four.", " Five six seven eight.")
    stream.clock.now += 1.5
    stream.rest()
    assert (stream.written["a"].words, stream.written["a"].status) == (words, "incomplete")


def test_the_length_of_a_telephones_sound():
    stream = Stream()
    format = {"type": "audio/pcmu"}
    stream.tell("session.updated", session={"audio": {"output": {"format": format}}})
    stream.answer("One.")
    stream.done("One.")
    assert stream.written["a"].ms == 6_000


def test_an_answer_outside_the_conversation_is_heard_all_the_same():
    stream = Stream()
    stream.answer("Aside.", id="o", conversation_id=None)
    item = {"id": "o", "type": "message", "role": "assistant", "status": "completed", "content": []}
    stream.tell("response.output_item.done", response_id="resp_1", item=item)
    assert (stream.written["o"].place, stream.written["o"].words, stream.written["o"].previous) == (
        "outside",
        "Aside.",
        END,
    )


def test_calls_and_their_outputs_are_kept_whole():
    stream = Stream()
    call = {"id": "f", "type": "function_call", "call_id": "call_1", "name": "look", "arguments": '{"at": 1}'}
    output = {"id": "g", "type": "function_call_output", "call_id": "call_1", "output": "found"}
    mcp = {"id": "m", "type": "mcp_call", "server_label": "s", "name": "n", "arguments": "{}", "output": "x"}
    for item in (call | {"status": "in_progress", "arguments": ""}, call | {"status": "completed"}, output, mcp):
        stream.tell("conversation.item.added", item=item, previous_item_id=None)
    assert stream.written["f"].item == call | {"status": "completed"}
    assert stream.written["g"].item == output
    assert stream.written["m"].item == mcp
    assert {item.words for item in stream.written.values()} == {""}


def test_what_only_the_end_of_an_answer_tells():
    stream = Stream()
    call = {"id": "f", "type": "function_call", "call_id": "c", "name": "n", "arguments": "{}", "status": "completed"}
    stream.tell("response.done", response={"id": "resp_9", "conversation_id": "conv_1", "output": [call]})
    assert stream.written["f"].place == "conversation"


def test_an_item_is_taken_out():
    stream = Stream()
    stream.tell("conversation.item.done", item=spoken(transcript="hello"), previous_item_id=None)
    stream.tell("conversation.item.deleted", item_id="u")
    assert (stream.written["u"].place, stream.written["u"].words) == ("deleted", "hello")
    stream.tell("conversation.item.deleted", item_id="from before")
    assert (stream.written["from before"].place, stream.written["from before"].item.get("type")) == ("deleted", None)


def test_a_retrieved_item_is_news_only_where_it_was_never_told():
    stream = Stream()
    stream.tell("conversation.item.done", item=spoken(transcript="hello"), previous_item_id=None)
    assert stream.tell("conversation.item.retrieved", item=spoken(transcript=None)) == []
    audio = [{"type": "input_audio", "transcript": "other", "audio": "AAAA"}]
    stream.tell("conversation.item.retrieved", item=spoken("v") | {"content": audio})
    assert stream.written["v"].item["content"] == [{"type": "input_audio", "transcript": "other"}]


def test_a_gap_says_what_is_missing_and_what_is_known_of_it_is_kept():
    stream = Stream()
    (gap,) = stream.tell(GAP, seconds=12.5)
    assert (gap.type, gap.place, gap.item["seconds"], gap.said_at) == (GAP, "outside", 12.5, 1_000.0)
    stream.tell(f"{WORDS}.completed", item_id="u", content_index=0, transcript="said in the gap")
    assert (stream.written["u"].words, stream.written["u"].role) == ("said in the gap", "user")
    assert len({*stream.written}) == 2


def test_texts_and_images_have_a_length():
    stream = Stream()
    image = {"type": "input_image", "image_url": "data:image/png;base64," + "A" * LONGEST, "detail": "auto"}
    content = [{"type": "input_text", "text": "x" * (LONGEST + 5)}, image]
    item = {"id": "u", "type": "message", "role": "user", "status": "completed", "content": content}
    stream.tell("conversation.item.done", item=item, previous_item_id=None)
    kept = stream.written["u"].item["content"]
    assert (len(kept[0]["text"]), kept[1]["image_url"]) == (LONGEST, "")


def test_what_an_agent_is_told_is_no_word_of_the_conversation():
    stream = Stream()
    content = [{"type": "input_text", "text": "page"}]
    item = {"id": "s", "type": "message", "role": "system", "status": "completed", "content": content}
    stream.tell("conversation.item.done", item=item, previous_item_id=None)
    assert (stream.written["s"].words, stream.written["s"].item["content"]) == ("", content)


def test_it_remembers_no_more_than_it_may():
    stream = Stream()
    for number in range(3 * REMEMBERED):
        stream.tell("input_audio_buffer.committed", item_id=f"never {number}")
        stream.tell("conversation.item.done", item=spoken(f"u{number}"), previous_item_id=None)
    assert len(stream.transcript._items) <= REMEMBERED
    assert len(stream.written) == 3 * REMEMBERED


@pytest.mark.parametrize(
    "type",
    [
        "conversation.item.done",
        "response.done",
        "response.created",
        "session.created",
        AUDIO_DELTA,
        "conversation.item.truncated",
        "conversation.item.deleted",
        "conversation.item.retrieved",
        "response.output_audio_transcript.delta",
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "output_audio_buffer.started",
        "output_audio_buffer.stopped",
        f"{WORDS}.completed",
    ],
)
def test_an_odd_event_breaks_nothing(type: str):
    stream = Stream()
    odd_ones: list[dict[str, Any]] = [
        {},
        {"item": None, "response": None, "session": None},
        {"item": [], "audio_end_ms": "1", "item_id": None},
        {"item": {"id": 7}, "response": {"output": [None]}, "item_id": 7, "delta": 3},
    ]
    for odd in odd_ones:
        stream.tell(type, **odd)
    stream.rest()
    assert stream.written == {}


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.sampled_from(["", "a", "message", "output_audio", "input_audio"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(TYPES), st.dictionaries(st.sampled_from(KEYS), JSON, max_size=6)), max_size=8)
)
def test_whatever_an_upstream_says_something_is_made_of_it(said: list[tuple[str, dict[str, Any]]]):
    stream, written = Stream(media=True), []
    for type, data in said:
        if type == AUDIO_DELTA:
            stream.transcript.sound(Frame(type, data))
        written += stream.transcript.told(Frame(type, data))
    for item in [*written, *stream.transcript.rest()]:
        json.dumps(item.item)
        assert isinstance(item.words, str)
