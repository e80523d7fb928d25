"""Frames that no client should send, made from a seed: each with what the server may do about it."""

import base64
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["KINDS", "Frame", "frame"]

Answer = Literal["error", "close", "either"]
"""``error``: one ``error`` event, and the connection stays. ``close``: the connection ends with a code that says why.
``either``: the frame may be one that is right after all."""

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Frame:
    kind: str
    data: str | bytes
    """Bytes go out as a binary message, or where ``raw_text`` is set, as a text message that may be no UTF-8."""
    answer: Answer = "error"
    raw_text: bool = False


def frame(chance: random.Random) -> Frame:
    """The next one. Large ones are rare."""
    kind = chance.choices(list(KINDS), [weight for weight, _ in KINDS.values()])[0]
    return KINDS[kind][1](chance)


def valid(chance: random.Random) -> dict[str, Any]:
    """An event as a client might send it."""
    pcm = base64.b64encode(chance.randbytes(2 * chance.randrange(1, 500))).decode()
    message = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hello"}]}
    tool = {"type": "function", "name": "look", "parameters": {"type": "object", "properties": {}}}
    session = {
        "type": "realtime",
        "instructions": "Be brief.",
        "tools": [tool],
        "max_output_tokens": 100,
        "audio": {"input": {"turn_detection": {"type": "server_vad", "threshold": 0.5, "silence_duration_ms": 300}}},
    }
    events: list[dict[str, Any]] = [
        {"type": "session.update", "session": session},
        {"type": "input_audio_buffer.append", "audio": pcm},
        {"type": "input_audio_buffer.commit"},
        {"type": "input_audio_buffer.clear"},
        {"type": "conversation.item.create", "item": message, "previous_item_id": None},
        {"type": "conversation.item.retrieve", "item_id": "item_1"},
        {"type": "conversation.item.delete", "item_id": "item_1"},
        {"type": "conversation.item.truncate", "item_id": "item_1", "content_index": 0, "audio_end_ms": 10},
        {"type": "response.create", "response": {"output_modalities": ["text"], "metadata": {"a": "b"}}},
        {"type": "response.cancel", "response_id": "resp_1"},
        {"type": "output_audio_buffer.clear"},
    ]
    return {**chance.choice(events), "event_id": f"event_{chance.random()}"}


# Not JSON, or no event -----------------------------------------------------------------------------


def broken(chance: random.Random) -> Frame:
    text = json.dumps(valid(chance))
    at = chance.randrange(1, len(text))
    ways: list[Callable[[], str]] = [
        lambda: text[:at],
        lambda: text[:-1] + ",}",
        lambda: text.replace('"', "'"),
        lambda: text + text,
        lambda: "\ufeff" + text,
        lambda: "// hello\n" + text,
        lambda: text.replace(": ", " "),
        lambda: text[:1] + "\x00" + text[1:],
        lambda: "",
        lambda: " \n\t",
        lambda: "".join(chr(chance.randrange(32, 0xD800)) for _ in range(chance.randrange(1, 200))),
    ]
    return Frame("broken JSON", chance.choice(ways)())


def numbers(chance: random.Random) -> Frame:
    number = chance.choice(["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "01", "+1", ".5", "0x10", "1e", "--1"])
    field = f'"item_id": "item_1", "content_index": 0, "audio_end_ms": {number}'
    return Frame("numbers that are none", f'{{"type": "conversation.item.truncate", {field}}}')


def no_object(chance: random.Random) -> Frame:
    value: Any = chance.choice([[], [valid(chance)], 1, 1.5, "text", True, None, [[]], [1, "a", None]])
    return Frame("no object", json.dumps(value))


def binary(chance: random.Random) -> Frame:
    data = chance.choice([b"", json.dumps(valid(chance)).encode(), chance.randbytes(chance.randrange(1, 2000))])
    return Frame("binary", data)


def surrogates(chance: random.Random) -> Frame:
    lone = chance.choice(["\\ud800", "\\udfff", "\\udc00\\ud800", "\\ud800x"])
    text = f'{{"type": "session.update", "session": {{"type": "realtime", "instructions": "{lone}"}}}}'
    return Frame("lone surrogates", text)


def no_utf8(chance: random.Random) -> Frame:
    bad = chance.choice([b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf8\x88\x80\x80\x80", b"\xe2\x82"])
    data = b'{"type": "input_audio_buffer.clear", "event_id": "' + bad + b'"}'
    return Frame("no UTF-8", data, "close", raw_text=True)  # RFC 6455, 8.1: it fails the connection


# JSON, but wrong -----------------------------------------------------------------------------------


_TYPES: list[Any] = [
    None, 1, [], {}, True, "", "session.updated", "response.done", "a" * 10_000, "session.update\u0000",
    "SESSION.UPDATE", "conversation.item.created", "media.flush", "media.played", "session.gap",
]  # fmt: skip


def types(chance: random.Random) -> Frame:
    event = valid(chance)
    if chance.random() < 0.2:
        del event["type"]
    else:
        event["type"] = chance.choice(_TYPES)
    return Frame("types that are none", json.dumps(event))


_VALUES: list[Any] = [
    None,
    True,
    0,
    -1,
    1.5,
    10**400,
    1e308,
    "",
    "x",
    "\u0000",
    "a" * 5000,
    [],
    [None],
    {},
    {"a": {}},
    {"type": "?"},
]


def mutated(chance: random.Random) -> Frame:
    """A value somewhere in an event is another, or a key is one that nobody knows."""
    event = valid(chance)
    place: Any = event
    while True:
        key = chance.choice(list(place) if isinstance(place, dict) else range(len(place)))
        if not isinstance(place[key], dict | list) or not place[key] or chance.random() < 0.3:
            break
        place = place[key]
    if key != "type" and chance.random() < 0.8:
        place[key] = chance.choice(_VALUES)
    elif isinstance(place, dict):
        place[chance.choice(["", "nonsense", "type ", "__proto__", "a" * 1000])] = chance.choice(_VALUES)
    return Frame("wrong values", json.dumps(event), "either")


def twice(chance: random.Random) -> Frame:
    text = json.dumps(valid(chance))
    other = json.dumps(chance.choice(_VALUES))
    return Frame("duplicate keys", text[:-1] + f', "type": {other}}}', "error")


def deep(chance: random.Random) -> Frame:
    depth = chance.choice([65, 100, 400, 800, 900, 950, 970, 980, 990, 1000, 1100, 5000, 100_000])
    opening, closing = chance.choice([("[", "]"), ('{"a":', "}")])
    nested = opening * depth + "1" + closing * depth
    tool = f'{{"type": "function", "name": "f", "parameters": {{"a": {nested}}}}}'
    text = chance.choice(
        [
            nested,
            f'{{"type": "session.update", "session": {{"type": "realtime", "tools": [{tool}]}}}}',
            f'{{"type": "response.create", "response": {{"tools": [{tool}], "output_modalities": ["text"]}}}}',
            f'{{"type": "input_audio_buffer.clear", "more": {nested}}}',
            opening * depth,
        ]
    )
    return Frame("deep nesting", text)


def many(chance: random.Random) -> Frame:
    event = valid(chance) | {f"key{n}": n for n in range(chance.randrange(1, 5000))}
    return Frame("many keys", json.dumps(event), "either")  # beside an event's own keys others are let pass


def event_id(chance: random.Random) -> Frame:
    event = valid(chance) | {"event_id": chance.choice(["x" * 513, "x" * 100_000, 1, [], {}, True])}
    return Frame("event ids", json.dumps(event), "either" if "audio" in event else "error")


# Audio ---------------------------------------------------------------------------------------------


def audio(chance: random.Random) -> Frame:
    good = base64.b64encode(bytes(960)).decode()
    odd = base64.b64encode(chance.randbytes(2 * chance.randrange(500) + 1)).decode()
    wrong: list[Any] = [
        odd, good[:-1], good[:100] + "!" + good[100:], good + "=", "=" * 8, "-_" * 8, "\u20ac" * 8, good + "\n",
        f"data:audio/pcm;base64,{good}", None, 1, [], {}, [good],
    ]  # fmt: skip
    event = {"type": "input_audio_buffer.append", "audio": chance.choice(wrong), "event_id": "event_a"}
    return Frame("audio", json.dumps(event))


# Large ---------------------------------------------------------------------------------------------


def large(chance: random.Random) -> Frame:
    size = chance.choice([MIB, 4 * MIB, 16 * MIB])
    text = chance.choice(
        [
            f'{{"type": "{"x" * size}"}}',
            f'{{"type": "input_audio_buffer.clear", "more": "{"x" * size}"}}',
            f'{{"type": "input_audio_buffer.append", "audio": "{"A" * (16 * MIB)}"}}',
            f'{{"type": "input_audio_buffer.append", "audio": "{"!" * size}"}}',
            "[" + "0," * (size // 2) + "0]",
            '{"type": "response.cancel", "more": [' + "{}," * (size // 3) + "{}]}",
            '{"type": "response.cancel", "response_id": "' + "\\u00e9" * (size // 6) + '"}',
            "x" * size,
        ]
    )
    return Frame("large", text, "either" if '"more": "' in text else "error")


def too_large(chance: random.Random) -> Frame:
    return Frame("larger than a message", "x" * (32 * MIB + 1), "close")


KINDS: dict[str, tuple[float, Callable[[random.Random], Frame]]] = {
    "broken": (10, broken),
    "numbers": (5, numbers),
    "no_object": (5, no_object),
    "binary": (5, binary),
    "surrogates": (3, surrogates),
    "no_utf8": (0.5, no_utf8),
    "types": (8, types),
    "mutated": (40, mutated),
    "twice": (4, twice),
    "deep": (4, deep),
    "many": (2, many),
    "event_id": (3, event_id),
    "audio": (10, audio),
    "large": (0.1, large),
    "too_large": (0.01, too_large),
}
"""How often each kind comes, and what makes it."""
