"""Reports as aiortc reads them."""

import asyncio

from aiortc.rtp import RtcpByePacket, RtcpPacket, RtcpRrPacket, RtcpSdesPacket, RtcpSenderInfo, RtcpSrPacket

from tests.support.virtual_time import virtual_time
from vivavoce.transports.webrtc.reports import INTERVAL, Reporter, Reports
from vivavoce.transports.webrtc.rtp import Received


def heard(reports: Reports, *numbers: int) -> None:
    for number in numbers:
        reports.heard(Received(111, number, number * 960, 9, b""))


def test_there_is_nothing_to_tell_until_something_was_heard_or_sent():
    assert Reports(7, "name").report(1.0, 0) == b""


def test_who_only_listens_tells_what_it_lost_since_it_told_last():
    reports = Reports(7, "name")
    heard(reports, 65534, 65535, 1, 2)  # 0 is lost
    reports.told(RtcpSrPacket(9, RtcpSenderInfo(0x1234_5678_9ABC_DEF0, 0, 0, 0)), 10.0)
    told, name = RtcpPacket.parse(reports.report(10.5, 0))
    assert isinstance(told, RtcpRrPacket)
    (block,) = told.reports
    assert (told.ssrc, block.ssrc, block.packets_lost, block.fraction_lost) == (7, 9, 1, 256 // 5)
    assert block.highest_sequence == (1 << 16) + 2
    assert (block.lsr, block.dlsr) == (0x5678_9ABC, 65536 // 2)
    assert isinstance(name, RtcpSdesPacket)
    assert name.chunks[0].items == [(1, b"name")]
    heard(reports, 3, 4)
    again = RtcpPacket.parse(reports.report(11.0, 0))[0]
    assert isinstance(again, RtcpRrPacket)
    assert (again.reports[0].packets_lost, again.reports[0].fraction_lost) == (1, 0)


def test_who_speaks_says_how_much_and_which_timestamp_is_now():
    reports = Reports(7, "name")
    reports.sent(2**32 - 960, 100, 5.0)
    reports.sent(0, 50, 5.02)
    told = RtcpPacket.parse(reports.report(5.12, 77))[0]
    assert isinstance(told, RtcpSrPacket)
    assert told.reports == []
    assert told.sender_info == RtcpSenderInfo(77, 4800, 2, 150)
    assert reports.report(9.0, 78) == b"", "nothing new was sent"


@virtual_time
async def test_reports_leave_again_and_again_until_the_end_which_is_told():
    reports, sent = Reports(7, "name"), list[tuple[float, bytes]]()
    heard(reports, 1)
    reporter = Reporter(reports, chance=lambda: 0.5)
    for _ in range(2):  # both directions begin
        reporter.begin(lambda packet: sent.append((asyncio.get_running_loop().time(), packet)))
    await asyncio.sleep(3.5 * INTERVAL)
    for _ in range(2):
        reporter.end()
    await asyncio.sleep(60)
    assert [at for at, _ in sent] == [INTERVAL, 2 * INTERVAL, 3 * INTERVAL, 3.5 * INTERVAL]
    assert isinstance(RtcpPacket.parse(sent[-1][1])[-1], RtcpByePacket)
