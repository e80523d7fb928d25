"""Our own engine: it drives one protocol session with real models. ``session.py`` is the way in."""
