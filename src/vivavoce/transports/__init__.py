"""A client's connection as a :class:`~vivavoce.protocol.frame.Line`, whatever carries it: a WebSocket
(``websocket``) or a WebRTC call (``webrtc/``, which loads aiortc and is imported when a call is made)."""
