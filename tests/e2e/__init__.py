"""The page and the orb in a real Chromium, against a real server."""
