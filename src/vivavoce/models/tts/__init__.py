"""Voices: words to sound."""
