"""What a server says in a turn, for tests that play the answering side themselves."""

from itertools import count
from typing import Any

from tests.support.fake_models import tone
from vivavoce.protocol.frame import AUDIO_DELTA, Frame

__all__ = ["answer", "event", "finished", "question"]

_numbers = count(1)
IDS = {"response_id": "resp_1", "item_id": "item_a", "output_index": 0, "content_index": 0}


def event(type_: str, **fields: Any) -> Frame:
    return Frame(type_, {"type": type_, "event_id": f"event_x{next(_numbers)}", **fields})


def question(text: str) -> list[Frame]:
    done = event("conversation.item.input_audio_transcription.completed", item_id="item_q", content_index=0)
    return [
        event("input_audio_buffer.speech_started", item_id="item_q", audio_start_ms=0),
        event("input_audio_buffer.speech_stopped", item_id="item_q", audio_end_ms=900),
        event("input_audio_buffer.committed", item_id="item_q", previous_item_id=None),
        Frame(done.type, {**done.data, "transcript": text}),
    ]


def answer(text: str, ms: float) -> list[Frame]:
    """An answer in one piece, not finished."""
    return [
        event("response.created", response={"id": "resp_1", "status": "in_progress"}),
        event("response.output_audio_transcript.delta", **IDS, delta=text),
        Frame(AUDIO_DELTA, event(AUDIO_DELTA, **IDS).data, tone(ms)),
    ]


def finished(text: str, status: str = "completed") -> list[Frame]:
    return [
        event("response.output_audio.done", **IDS),
        event("response.output_audio_transcript.done", **IDS, transcript=text),
        event("response.done", response={"id": "resp_1", "status": status}),
    ]
