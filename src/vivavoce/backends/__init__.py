"""Who answers a session: the engine in this process (``builtin``) or another server (``upstream/``)."""
