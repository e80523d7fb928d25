"""What a jitter buffer would cost a session, on networks in virtual time.

    python -m bench.jitter

*Waits* are what a receiver adds to the network's own delay, in ms: the mean, and what 95 % of packets do not exceed.
*Dropped* are packets that arrived, and were given up before.
"""

import random
from collections.abc import Callable

from tests.transports.webrtc.networks import NETWORKS, Heard, Trace, fixed, ours, percentile

RECEIVERS: tuple[tuple[str, Callable[[Trace], Heard]], ...] = (
    ("only holes (ours)", ours),
    ("fixed, 80 ms", fixed),
    ("percentile, 95 %", lambda trace: percentile(trace, 0.95)),
    ("percentile, 99 %", lambda trace: percentile(trace, 0.99)),
)


def main() -> None:
    print("| waits: mean / 95 %, dropped | " + " | ".join(name for name, _ in RECEIVERS) + " |")
    print("|---" * (len(RECEIVERS) + 1) + "|")
    for network in NETWORKS:
        trace = network(random.Random(1))
        cells = [described(receive(trace), len(trace)) for _, receive in RECEIVERS]
        print(f"| {network.__name__.replace('_', ' ')} | " + " | ".join(cells) + " |")


def described(heard: Heard, arrived: int) -> str:
    mean = sum(heard.waits) / len(heard.waits)
    return f"{mean * 1000:.0f} / {heard.wait(0.95) * 1000:.0f} ms, {heard.dropped / arrived:.1%}"


if __name__ == "__main__":
    main()
