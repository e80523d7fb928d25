"""What the protocol costs per frame of audio, beside the floor: JSON and base64 alone, in the same run.

    python bench/protocol.py

Each figure is the median of several rounds, in microseconds for one frame of 20 ms (960 bytes of PCM).
"""

import statistics
import time
from collections.abc import Callable
from itertools import count

import msgspec
import pybase64

from vivavoce.protocol.dialects.ga import Ga
from vivavoce.protocol.frame import AUDIO_DELTA, Frame
from vivavoce.protocol.session import Session
from vivavoce.protocol.session.commands import AudioPart, Start, TextPart
from vivavoce.protocol.session.config import Defaults, Settings, defaults

FRAMES = 5000
ROUNDS = 9
PCM = bytes(range(256)) * 3 + bytes(192)
APPEND = msgspec.json.encode({"type": "input_audio_buffer.append", "audio": pybase64.b64encode_as_string(PCM)}).decode()


def measure(step: Callable[[], object]) -> float:
    """Microseconds of one step."""
    rounds = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for _ in range(FRAMES):
            step()
        rounds.append((time.perf_counter() - began) / FRAMES * 1e6)
    return statistics.median(rounds)


def new_session() -> Session:
    numbers = count()
    return Session(
        0.0,
        Settings("sess_1", "model", 0),
        defaults("realtime", Defaults()),
        lambda prefix: f"{prefix}_{next(numbers)}",
    )


def append_floor() -> Callable[[], object]:
    decode = msgspec.json.Decoder().decode
    return lambda: pybase64.b64decode(decode(APPEND)["audio"], validate=True)


def append_core() -> Callable[[], object]:
    session, decoder = new_session(), Ga()

    def step() -> None:
        frame = decoder.decode(APPEND)[0]
        assert frame.audio is not None
        session.audio(0.0, len(frame.audio) // 2)

    return step


def windows() -> Callable[[], object]:
    session, ends = new_session(), count(768, 768)

    def step() -> None:
        session.speech(next(ends), 0.1)

    return step


def delta_floor() -> Callable[[], object]:
    encode = msgspec.json.Encoder().encode
    event = {"type": AUDIO_DELTA, "event_id": "event_1", "response_id": "resp_1", "item_id": "item_1"}
    place = {"output_index": 0, "content_index": 0}
    return lambda: encode({**event, **place, "delta": pybase64.b64encode_as_string(PCM)}).decode()


def delta_core() -> Callable[[], object]:
    session, dialect = new_session(), Ga()
    session.client(0.0, {"type": "response.create"})
    start = next(output for output in session.drain() if isinstance(output, Start))
    session.model(0.0, start.response_id, TextPart("words"))
    session.drain()
    part = AudioPart(PCM, len(PCM) // 2)

    def step() -> None:
        session.model(0.0, start.response_id, part)
        for output in session.drain():
            assert isinstance(output, Frame)
            dialect.encode(output)

    return step


def main() -> None:
    print(f"{'':34}{'floor':>8}{'ours':>8}{'core adds':>11}  times the floor")
    for name, floor, ours in [
        ("append: JSON in, 20 ms of audio", append_floor(), append_core()),
        ("delta: 20 ms of audio, JSON out", delta_floor(), delta_core()),
    ]:
        least, whole = measure(floor), measure(ours)
        print(f"{name:34}{least:8.2f}{whole:8.2f}{whole - least:11.2f}  {(whole - least) / least:.2f}")
    print(f"{'a window of voice activity':34}{'':8}{measure(windows()):8.2f}")


if __name__ == "__main__":
    main()
