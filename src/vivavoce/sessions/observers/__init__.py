"""What is written down of a session, beside its stream: what was said, and what it used."""
