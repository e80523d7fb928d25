"""Live sessions: two lines joined (``hub``), and which of them are alive (``registry``)."""
