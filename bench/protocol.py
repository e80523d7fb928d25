"""What the protocol costs per frame of audio, beside the floor: JSON and base64 alone, in the same run.

    python -m bench.protocol [--core]

Each figure is the median of several rounds, in microseconds for one frame of 20 ms (960 bytes of PCM); floor and ours
take turns, so that whatever else the machine does weighs on both alike. First the core alone, in this process. Then
the whole way through uvicorn, WebSocket, dialect, hub and engine, without voice activity, beside a bare ``websockets``
server that does JSON and base64 and nothing else: each a process of its own, whose processor time is counted (Linux).
"""

import asyncio
import statistics
import sys
import time
from collections.abc import Callable
from itertools import count

import msgspec
import pybase64

from bench.socket_path import FLOOR, OURS, PCM, joined
from vivavoce.protocol.dialects.ga import Ga
from vivavoce.protocol.frame import AUDIO_DELTA, Frame
from vivavoce.protocol.session import Session
from vivavoce.protocol.session.commands import Start
from vivavoce.protocol.session.config import Defaults, Settings, defaults
from vivavoce.protocol.session.parts import AudioPart, TextPart

FRAMES = 2000
ROUNDS = 15

Round = dict[str, tuple[float, float]]
"""Floor and ours, by what was measured."""
APPEND = msgspec.json.encode({"type": "input_audio_buffer.append", "audio": pybase64.b64encode_as_string(PCM)}).decode()


def measure(step: Callable[[], object]) -> float:
    """Microseconds of one step, in one round."""
    began = time.perf_counter()
    for _ in range(FRAMES):
        step()
    return (time.perf_counter() - began) / FRAMES * 1e6


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
    print(f"{'the core alone':34}{'floor':>8}{'ours':>8}{'adds':>8}  times the floor")
    steps = {
        "append: JSON in, 20 ms of audio": (append_floor(), append_core()),
        "delta: 20 ms of audio, JSON out": (delta_floor(), delta_core()),
    }
    rounds = [{name: (measure(floor), measure(ours)) for name, (floor, ours) in steps.items()} for _ in range(ROUNDS)]
    show(rounds)
    window = windows()
    print(f"{'a window of voice activity':34}{'':8}{statistics.median(measure(window) for _ in range(ROUNDS)):8.2f}")
    if "--core" not in sys.argv:
        print(f"\n{'the whole socket path':34}{'floor':>8}{'ours':>8}{'adds':>8}  times the floor")
        show(asyncio.run(sockets()))


async def sockets() -> list[Round]:
    async with joined(FLOOR) as floor, joined(OURS) as ours:
        rounds = []
        for _ in range(ROUNDS + 1):
            appends = await floor.append(FRAMES), await ours.append(FRAMES)
            rounds.append({"append": appends, "delta": (await floor.answer(), await ours.answer())})
        return rounds[1:]  # the first one warms up


def show(rounds: list[Round]) -> None:
    for name in rounds[0]:
        floor, ours = (statistics.median(each[name][which] for each in rounds) for which in (0, 1))
        adds = statistics.median(each[name][1] - each[name][0] for each in rounds)
        print(f"{name:34}{floor:8.2f}{ours:8.2f}{adds:8.2f}  {adds / floor:.2f}")


if __name__ == "__main__":
    main()
