"""A client of any Realtime server: the connection (``realtime``) and one question asked over it (``turn``)."""
