"""What the relay adds to an audio event, beside a bare ``websockets`` proxy and LiteLLM's, in the same run.

    python -m bench.relay [--without-litellm]

Each relay is a process of its own, between the same client and the same upstream. All are up at once and take turns in
short rounds, so that whatever else the machine does weighs on each alike; what is shown are medians over the rounds. An
exchange is an append of 20 ms of sound one way and a delta of 100 ms the other.

- *added*: how much later an exchange is complete than without a relay, half of it for each event; one session that
  sends fifty times a second, as a microphone does.
- *a core carries*: events for each second of processor time that the relay's process uses, with sixteen sessions that
  send as fast as they are answered. *Its cost* is that of an event, beside the bare proxy's in the same round.

LiteLLM comes from PyPI into ``bench/.venvs/litellm``, which is made on demand. Needs Linux (/proc).
"""

import argparse
import asyncio
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import pybase64
import uvloop
from websockets.asyncio.client import ClientConnection, connect

from bench.processes import Process, environment, free_port, running

PARTS = Path(__file__).parent / "relay_parts.py"
KEY = "sk-bench-relay"
KEYS = {"OPENAI_API_KEY": KEY}
MODEL = "gpt-realtime"
APPEND = json.dumps(
    {"type": "input_audio_buffer.append", "audio": pybase64.b64encode_as_string(random.Random(1).randbytes(960))}
)
ROUNDS = 25
PACED = 30
"""Exchanges of the paced session, in one round."""
SESSIONS, WARM, BUSY = 16, 40, 60
"""Sessions at once, and exchanges of each: before anything counts, and in one round."""


class Relay(NamedTuple):
    name: str
    command: Callable[[int, int, Path], list[str]]
    """From the port of the upstream, the port to listen on and a directory for what has to be written down."""


class Standing(NamedTuple):
    """A relay that is up, with its sessions."""

    process: Process
    sessions: list[ClientConnection]


class Figures(NamedTuple):
    """One round of one relay."""

    took: list[float]
    """Seconds of each paced exchange."""
    cost: float
    """Seconds of processor time for an event."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--without-litellm", action="store_true")
    relays = [BARE, OURS] if parser.parse_args().without_litellm else [BARE, OURS, LITELLM_PROXY]
    uvloop.run(compare(relays))


async def compare(relays: list[Relay]) -> None:
    async with AsyncExitStack() as stack:
        upstream = await stack.enter_async_context(running([sys.executable, str(PARTS), "upstream"], environ=KEYS))
        direct = await stack.enter_async_context(session(f"ws://127.0.0.1:{upstream.port}/v1/realtime?model={MODEL}"))
        standing = {relay.name: await stand(relay, upstream.port, stack) for relay in relays}
        alone: list[float] = []
        rounds: dict[str, list[Figures]] = {relay.name: [] for relay in relays}
        for _ in range(ROUNDS):
            alone += await paced(direct)
            for name, relay in standing.items():
                took = await paced(relay.sessions[0])
                rounds[name].append(Figures(took, await busy(relay)))
    show(alone, rounds)


async def stand(relay: Relay, upstream: int, stack: AsyncExitStack) -> Standing:
    directory, port = Path(stack.enter_context(tempfile.TemporaryDirectory())), free_port()
    process = await stack.enter_async_context(running(relay.command(upstream, port, directory), port, KEYS))
    url = f"ws://127.0.0.1:{port}/v1/realtime?model={MODEL}"
    sessions = [await stack.enter_async_context(session(url)) for _ in range(SESSIONS)]
    await asyncio.gather(*(converse(socket, WARM) for socket in sessions))
    return Standing(process, sessions)


async def paced(socket: ClientConnection) -> list[float]:
    """One exchange every 20 ms; seconds of each."""
    took: list[float] = []
    due = time.perf_counter()
    for _ in range(PACED):
        due += 0.02
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        began = time.perf_counter()
        await exchange(socket)
        took.append(time.perf_counter() - began)
    return took


async def busy(relay: Standing) -> float:
    before = relay.process.cpu()
    await asyncio.gather(*(converse(socket, BUSY) for socket in relay.sessions))
    return (relay.process.cpu() - before) / (2 * SESSIONS * BUSY)


async def converse(socket: ClientConnection, exchanges: int) -> None:
    for _ in range(exchanges):
        await exchange(socket)


async def exchange(socket: ClientConnection) -> None:
    await socket.send(APPEND)
    while b"response.output_audio.delta" not in await socket.recv(decode=False):
        pass


@asynccontextmanager
async def session(url: str) -> AsyncIterator[ClientConnection]:
    headers = {"Authorization": f"Bearer {KEY}"}
    # Compression is offered, as every browser offers it; whether it is wise to accept is the relay's to know.
    async with connect(url, additional_headers=headers, compression="deflate", proxy=None, max_size=None) as socket:
        await socket.recv()  # session.created
        yield socket


# The relays -----------------------------------------------------------------------------------------


def bare(upstream: int, port: int, directory: Path) -> list[str]:
    return [sys.executable, str(PARTS), "proxy", str(upstream), str(port)]


def ours(upstream: int, port: int, directory: Path) -> list[str]:
    url = f"http://127.0.0.1:{upstream}/v1"
    options = ["--port", str(port), "--backend", "upstream", "--upstream-url", url, "--data-dir", str(directory)]
    return [sys.executable, "-m", "vivavoce", "serve", "--log-level", "warning", *options]


def litellm(upstream: int, port: int, directory: Path) -> list[str]:
    config = directory / "config.yaml"
    config.write_text(
        f"model_list:\n  - model_name: {MODEL}\n    litellm_params:\n      model: openai/{MODEL}\n"
        f"      api_base: http://127.0.0.1:{upstream}/v1\n      api_key: {KEY}\n"
        f"    model_info:\n      mode: realtime\ngeneral_settings:\n  master_key: {KEY}\n"
    )
    options = ["--config", str(config), "--host", "127.0.0.1", "--port", str(port), "--telemetry", "False"]
    python = environment("litellm", ["litellm[proxy]"])
    return [str(python.with_name("litellm")), *options]


BARE = Relay("bare websockets proxy", bare)
OURS = Relay("vivavoce", ours)
LITELLM_PROXY = Relay("LiteLLM proxy", litellm)


# The table ------------------------------------------------------------------------------------------


def show(alone: list[float], rounds: dict[str, list[Figures]]) -> None:
    base, least = quantiles(alone), [figures.cost for figures in rounds[BARE.name]]
    print(f"without a relay an exchange takes {base[0] * 1e6:.0f} µs (p50), {base[1] * 1e6:.0f} µs (p99)\n")
    print(f"{'':24}{'added, p50':>12}{'added, p99':>12}{'a core carries':>18}{'its cost':>12}")
    for name, figures in rounds.items():
        took = quantiles([second for figure in figures for second in figure.took])
        added = [f"{(at - without) / 2 * 1e6:.0f} µs" for at, without in zip(took, base, strict=True)]
        events = 1 / statistics.median(figure.cost for figure in figures)
        times = statistics.median(figure.cost / bare for figure, bare in zip(figures, least, strict=True))
        print(f"{name:24}{added[0]:>12}{added[1]:>12}{events:>12,.0f} ev/s{times:>10.2f} ×")


def quantiles(seconds: list[float]) -> tuple[float, float]:
    cuts = statistics.quantiles(seconds, n=100)
    return cuts[49], cuts[98]


if __name__ == "__main__":
    main()
