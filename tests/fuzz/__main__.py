"""``python -m tests.fuzz [FRAMES] [SEED]``: throws frames, and says what became of them."""

import asyncio
import statistics
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.fuzz.server import running
from tests.fuzz.throwing import memory, throw

WARM = 2000
"""Frames before memory is looked at for the first time."""


async def main(frames: int, seed: int) -> int:
    with TemporaryDirectory() as directory:
        async with running(Path(directory) / "log") as server:
            await throw(server.address, WARM, seed)
            before, began = memory(server.process), time.perf_counter()
            result = await throw(server.address, frames, seed + 1000)
            took, after = time.perf_counter() - began, memory(server.process)
        log = server.log.read_text()
    print(f"{result.frames} frames in {took:.0f} s, seed {seed}: {dict(result.answers)}")
    print(f"memory of the server: {before:.0f} MB after {WARM} frames, {after:.0f} MB after {frames} more")
    median, worst = statistics.median(result.turns) * 1000, max(result.turns) * 1000
    print(f"turns of the session beside: {len(result.turns)} completed, median {median:.0f} ms, worst {worst:.0f} ms")
    for fault in result.faults[:50]:
        print("FAULT", fault)
    print(f"{len(result.faults)} faults; {len(log.splitlines())} lines in the log, {log.count('Traceback')} tracebacks")
    print(log[-3000:], file=sys.stderr)
    return bool(result.faults or "Traceback" in log)


if __name__ == "__main__":
    given = [int(each) for each in sys.argv[1:]]
    sys.exit(asyncio.run(main(*(given + [100_000, 1][len(given) :]))))
