"""``python -m tests.fuzz [FRAMES] [SEED]``: throws frames, and says what became of them."""

import asyncio
import statistics
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.fuzz.server import running
from tests.fuzz.throwing import Result, memory, throw

PARTS = 5
"""Memory is looked at after each."""


async def main(frames: int, seed: int) -> int:
    with TemporaryDirectory() as directory:
        async with running(Path(directory) / "log") as server:
            result, megabytes, began = Result(), [], time.perf_counter()
            for part in range(PARTS):
                result.add(await throw(server.address, frames // PARTS, seed * 1000 + part * 100))
                megabytes.append(f"{memory(server.process):.0f}")
            took = time.perf_counter() - began
        log = server.log.read_text()
    print(f"{result.frames} frames in {took:.0f} s, seed {seed}: {dict(result.answers)}")
    print(f"memory of the server: {', '.join(megabytes)} MB after each {frames // PARTS}")
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
