"""What our own page asks of the server, beyond OpenAI's API."""
