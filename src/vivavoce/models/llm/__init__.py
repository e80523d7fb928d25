"""Minds: what to say, and which tool to call."""
