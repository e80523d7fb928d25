"""Whisper: heard whole or while it is spoken, in batches that all sessions share."""
