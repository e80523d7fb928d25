"""Shapes of what is sent: the session, items, client events, errors; and the check that turns a bad
field into the API's own error with its code and path."""
