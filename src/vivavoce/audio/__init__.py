"""Sound as bytes: PCM, G.711, resampling, WAV files. A leaf: it imports nothing of ours.

The house format is mono 16-bit little-endian PCM at :data:`HOUSE_RATE`, the Realtime protocol's own.
"""

HOUSE_RATE = 24_000
"""Samples a second inside this server."""
