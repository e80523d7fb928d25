"""Vivavoce: voice mode for any app. It speaks the OpenAI Realtime API on every side."""

__version__ = "0.1.0"
