"""The senses and the mind: what the engine asks of a model (``interfaces``), and what answers, one adapter a file."""
