import json

import pytest

from vivavoce.protocol.wire.errors import ProtocolError
from vivavoce.transports.webrtc.sdp import MAX_OFFER, read_offer

CHROME = """v=0
o=- 4611731400430051336 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0 1
a=extmap-allow-mixed
a=msid-semantic: WMS 6bf0
m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8
c=IN IP4 0.0.0.0
a=rtcp:9 IN IP4 0.0.0.0
a=candidate:1 1 udp 2113937151 192.0.2.7 50123 typ host generation 0 network-cost 999
a=candidate:2 1 udp 2113937151 0b1c2d3e-aaaa-4bbb-8ccc-123456789abc.local 50124 typ host generation 0
a=end-of-candidates
a=ice-ufrag:EsAw
a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1
a=ice-options:trickle
a=fingerprint:sha-256 D2:FA:0E:C3:22:59:5E:14:95:69:92:3D:13:B4:84:24:2C:C2:A2:C0:3E:FD:34:8E:5E:EA:6F:AF:52:CE:E6:0F
a=setup:actpass
a=mid:0
a=sendrecv
a=msid:6bf0 71a1
a=rtcp-mux
a=rtpmap:111 opus/48000/2
a=rtcp-fb:111 transport-cc
a=fmtp:111 minptime=10;useinbandfec=1
a=rtpmap:63 red/48000/2
a=fmtp:63 111/111
a=rtpmap:9 G722/8000
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=ssrc:37392 cname:Z1
m=application 9 UDP/DTLS/SCTP webrtc-datachannel
c=IN IP4 0.0.0.0
a=ice-ufrag:EsAw
a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1
a=fingerprint:sha-256 D2:FA:0E:C3:22:59:5E:14:95:69:92:3D:13:B4:84:24:2C:C2:A2:C0:3E:FD:34:8E:5E:EA:6F:AF:52:CE:E6:0F
a=setup:actpass
a=mid:1
a=sctp-port:5000
a=max-message-size:262144
""".replace("\n", "\r\n")


def test_a_browsers_offer():
    offer = read_offer(CHROME)
    assert (offer.message_size, offer.listens, offer.speaks) == (262_144, True, True)
    assert "192.0.2.7" in offer.sdp
    assert ".local" not in offer.sdp
    assert "end-of-candidates" not in offer.sdp


@pytest.mark.parametrize(
    ("line", "listens", "speaks"), [("recvonly", True, False), ("sendonly", False, True), ("inactive", False, False)]
)
def test_directions_are_the_callers(line: str, listens: bool, speaks: bool):
    offer = read_offer(CHROME.replace("a=sendrecv", f"a={line}"))
    assert (offer.listens, offer.speaks) == (listens, speaks)


def test_the_message_size_where_the_offer_says_nothing():
    assert read_offer(CHROME.replace("a=max-message-size:262144\r\n", "")).message_size == 65_536


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no SDP"),
        ("hello", "no SDP"),
        (json.dumps({"type": "offer", "sdp": CHROME}), "JSON"),
        (json.dumps(CHROME), "JSON"),
        ("v=0\r\n", "no audio"),
        ("v=0\r\nm=audio nonsense\r\n", "cannot be read"),
        ("v=0\r\na=setup:sideways\r\n", "cannot be read"),
        (CHROME + "x" * MAX_OFFER, "at most 65536"),
        (CHROME[: CHROME.index("m=application")], "'oai-events'"),
        (CHROME.replace("opus", "speex"), "no Opus"),
        (CHROME.replace("BUNDLE 0 1", "BUNDLE 7 0 1"), "BUNDLE"),
        (CHROME + "m=text 9 RTP/AVP 98\r\na=mid:2\r\n", "'text'"),
        (CHROME.replace("a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\n", ""), "a=ice-pwd"),
        (CHROME.replace("a=fingerprint", "a=thumbprint"), "a=fingerprint"),
        (CHROME.replace("a=setup:actpass\r\n", ""), "a=setup"),
        (CHROME.replace("a=rtcp-mux\r\n", ""), "a=rtcp-mux"),
        (CHROME.replace("a=mid:0\r\n", ""), "a=mid"),
        (CHROME.replace("a=sctp-port:5000\r\n", ""), "a=sctp-port"),
        (CHROME.replace("a=candidate:1 1 udp", "a=candidate:"), "cannot be read"),
    ],
)
def test_what_is_no_usable_offer_is_told_why(text: str, told: str):
    with pytest.raises(ProtocolError) as refused:
        read_offer(text)
    assert (refused.value.code, refused.value.param) == ("invalid_offer", "sdp")
    assert told in refused.value.message
