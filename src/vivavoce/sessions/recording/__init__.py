"""A session as it sounded: the user left, the assistant right, on one clock, in a file that a crash leaves playable."""
