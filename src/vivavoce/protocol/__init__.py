"""The OpenAI Realtime protocol, sans-I/O: nothing here opens a socket, reads a clock or draws a random
number. ``wire/`` has the shapes and errors, ``dialects/`` what a connection's text frames look like,
``session/`` the state machine of one session."""
