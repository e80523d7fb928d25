"""A WebRTC call as a :class:`~vivavoce.protocol.frame.Line`: events on a data channel, sound on a track.

``call`` makes one out of an offer; it loads aiortc, so import it when a call is made. An audio frame comes in
through ``receiver``, ``arrival`` and ``inbound`` and goes out through ``playout`` and ``track``, as ``losses`` tells
it to; events go through ``channel``. ``sdp`` reads offers; ``ice``, ``ports`` and ``mux`` are how callers reach us.
"""
