"""Reading a caller's SDP offer: what must be in it, said in words where it is not (W-01 to W-05, H-21, H-22)."""

import re
from dataclasses import dataclass

from aiortc.sdp import MediaDescription, SessionDescription

from vivavoce.protocol.wire.errors import ProtocolError

__all__ = ["Offer", "invalid_offer", "read_offer"]

MAX_OFFER = 64 * 1024
"""Characters; a browser's offer of audio and a data channel has about 4,000."""
DEFAULT_MESSAGE_SIZE = 65536
"""Bytes a data channel message may have where the offer does not say (RFC 8841, 6.1)."""

# A browser's *.local candidates would each be looked up by multicast before we answer, and mean nothing
# outside its network: the browser finds us, and we learn its address from its own checks. Nor are its
# candidates ever complete: without this line aioice gives up before such a check has come.
_UNWANTED = re.compile(r"^a=(candidate:.*\.local .*|end-of-candidates *)\r?\n?", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Offer:
    """``sdp`` is what aiortc should see. ``message_size`` is what the caller takes in one data channel
    message, in bytes, 0 for any; ``listens`` and ``speaks`` are the caller's directions of audio."""

    sdp: str
    message_size: int
    listens: bool
    speaks: bool


def invalid_offer(message: str) -> ProtocolError:
    """What is wrong with an offer; over HTTP a 400 with the code ``invalid_offer``."""
    return ProtocolError("invalid_offer", message, param="sdp")


def read_offer(text: str) -> Offer:
    """Raises :class:`ProtocolError` for what is no usable offer."""
    if len(text) > MAX_OFFER:
        raise invalid_offer(f"The SDP offer has {len(text)} characters; at most {MAX_OFFER} are taken.")
    if text.lstrip().startswith(("{", "[", '"')):
        raise invalid_offer("This is JSON, and an SDP offer is wanted: post the 'sdp' text of the offer itself.")
    if not text.lstrip().startswith("v=0"):
        raise invalid_offer("This is no SDP offer: it does not begin with 'v=0'.")
    sdp = _UNWANTED.sub("", text.lstrip())
    try:
        description = SessionDescription.parse(sdp)
    except Exception as error:  # the parser trusts its input, and fails on any other in a dozen ways
        raise invalid_offer(f"The SDP offer cannot be read: {error or type(error).__name__}.") from error
    audio = _first(description, "audio", "it offers no audio: add a track or an audio transceiver")
    channel = _first(description, "application", "it has no data channel: create 'oai-events' before the offer")
    for media in description.media:
        _check(media)
    known = {media.rtp.muxId for media in description.media}
    if any(group.semantic == "BUNDLE" and not known.issuperset(group.items) for group in description.group):
        raise invalid_offer("The SDP offer cannot be answered: 'a=group:BUNDLE' names a section that is not there.")
    if not any(codec.mimeType.lower() == "audio/opus" for codec in audio.rtp.codecs):
        raise invalid_offer("The SDP offer cannot be answered: it offers no Opus, and sound is Opus here.")
    if channel.sctp_port is None and not channel.sctpmap:
        raise invalid_offer("The SDP offer cannot be answered: its data channel has no 'a=sctp-port'.")
    direction = audio.direction or "sendrecv"
    return Offer(
        sdp=sdp,
        message_size=channel.sctpCapabilities.maxMessageSize if channel.sctpCapabilities else DEFAULT_MESSAGE_SIZE,
        listens=direction in ("sendrecv", "recvonly"),
        speaks=direction in ("sendrecv", "sendonly"),
    )


def _first(description: SessionDescription, kind: str, otherwise: str) -> MediaDescription:
    for media in description.media:
        if media.kind == kind:
            return media
    raise invalid_offer(f"The SDP offer cannot be answered: {otherwise}.")


def _check(media: MediaDescription) -> None:
    """What aiortc would otherwise stumble over after the answer has gone out."""
    if media.kind not in ("audio", "video", "application"):
        raise invalid_offer(f"The SDP offer cannot be answered: a section of kind {media.kind!r} means nothing here.")
    where = f"The SDP offer cannot be answered: its {media.kind} section has no"
    if not media.rtp.muxId:
        raise invalid_offer(f"{where} 'a=mid'.")
    if media.ice is None or not media.ice.usernameFragment or not media.ice.password:
        raise invalid_offer(f"{where} ICE credentials ('a=ice-ufrag', 'a=ice-pwd').")
    if media.dtls is None or not media.dtls.fingerprints:
        raise invalid_offer(f"{where} DTLS fingerprint or role ('a=fingerprint', 'a=setup').")
    if media.kind in ("audio", "video") and not media.rtcp_mux:
        raise invalid_offer(f"{where} 'a=rtcp-mux'.")
