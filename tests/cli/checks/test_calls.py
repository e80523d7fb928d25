import socket
from contextlib import closing

import pytest

from vivavoce.cli.checks import calls
from vivavoce.cli.settings import Settings


def levels(settings: Settings) -> list[tuple[str, str]]:
    return [(found.level, found.says) for found in calls.calls(settings)]


@pytest.fixture
def taken():
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as other:
        other.bind(("0.0.0.0", 0))
        yield other.getsockname()[1]


def test_a_port_that_all_calls_share_is_free_or_taken(taken: int):
    (level, says), _ = levels(Settings(udp_port_range=(taken, taken)))
    assert (level, str(taken) in says) == ("fail", True)


def test_a_range_with_fewer_ports_than_sessions_is_warned_of(taken: int):
    found = next(calls.calls(Settings(udp_port_range=(taken, taken + 1), max_sessions=32)))
    assert found.level in ("warn", "fail")  # its neighbour may be taken as well
    assert "--udp-port-range" in found.mend


@pytest.mark.parametrize(
    ("settings", "own", "level", "says"),
    [
        (Settings(), "192.168.1.5", "ok", "on this machine"),
        (Settings(host="0.0.0.0"), "192.168.1.5", "warn", "192.168.1.5"),
        (Settings(public_url="https://voice.example"), "10.0.0.2", "warn", "in this network alone"),
        (Settings(host="0.0.0.0", turn=("turn:t.example",)), "192.168.1.5", "ok", "192.168.1.5"),
        (Settings(host="0.0.0.0"), "8.8.8.8", "ok", "8.8.8.8"),
        (Settings(host="0.0.0.0"), None, "warn", "no network"),
        (Settings(host="0.0.0.0", public_address=("203.0.113.7",)), "10.0.0.2", "warn", "every UDP port"),
        (
            Settings(host="0.0.0.0", public_address=("203.0.113.7",), udp_port_range=(4000, 4100)),
            "10.0.0.2",
            "ok",
            "offered 203.0.113.7",
        ),
    ],
)
def test_which_address_callers_are_offered(settings, own, level, says, monkeypatch):
    monkeypatch.setattr(calls, "lan_address", lambda: own)
    *_, found = levels(settings)
    assert (found[0], says in found[1]) == (level, True)


def test_who_takes_websockets_alone_is_spared():
    assert levels(Settings(transport="websocket")) == []
