"""Our packets against aiortc's own, both ways."""

from aiortc.rtcrtpparameters import RTCRtpHeaderExtensionParameters, RTCRtpParameters
from aiortc.rtp import HeaderExtensions, HeaderExtensionsMap, RtpPacket
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.transports.webrtc.rtp import Header, Received, mid_extension, read
from vivavoce.transports.webrtc.sender import MID

WORD, SHORT = st.integers(0, 2**32 - 1), st.integers(0, 2**16 - 1)


def known(number: int = 3) -> HeaderExtensionsMap:
    extensions = HeaderExtensionsMap()
    extensions.configure(RTCRtpParameters(headerExtensions=[RTCRtpHeaderExtensionParameters(id=number, uri=MID)]))
    return extensions


@given(
    payload_type=st.integers(0, 127), number=SHORT, timestamp=WORD, ssrc=WORD, payload=st.binary(max_size=40),
    csrc=st.lists(WORD, max_size=3), mid=st.sampled_from([None, "0", "audio"]), padding=st.integers(0, 9),
)  # fmt: skip
def test_what_others_write_is_read(payload_type, number, timestamp, ssrc, payload, csrc, mid, padding):
    packet = RtpPacket(payload_type, 1, number, timestamp, ssrc, payload)
    packet.csrc, packet.extensions, packet.padding_size = csrc, HeaderExtensions(mid=mid), padding
    assert read(packet.serialize(known())) == Received(payload_type, number, timestamp, ssrc, payload)


@given(st.binary(max_size=60), st.sampled_from([0x80, 0x90, 0xA0, 0xB3, 0x40]))
def test_what_is_no_packet_is_refused_as_aiortc_refuses_it(rest: bytes, first: int):
    data = bytes([first]) + rest
    try:
        expected = RtpPacket.parse(data)
    except ValueError:
        assert read(data) is None
    else:
        ours = read(data)
        assert ours is not None
        assert ours.payload == expected.payload


def test_what_we_write_is_read_by_others():
    packet = Header(111, 77, mid_extension(3, "audio")).before(b"opus", 65535, 2**32 - 1, begins=True)
    parsed = RtpPacket.parse(packet, known())
    assert (parsed.payload_type, parsed.sequence_number, parsed.timestamp, parsed.ssrc) == (111, 65535, 2**32 - 1, 77)
    assert (parsed.extensions.mid, parsed.marker, parsed.payload) == ("audio", 1, b"opus")
    plain = RtpPacket.parse(Header(111, 77, mid_extension(None, "audio")).before(b"opus", 1, 2, begins=False))
    assert (plain.extensions.mid, plain.marker, plain.payload) == (None, 0, b"opus")
