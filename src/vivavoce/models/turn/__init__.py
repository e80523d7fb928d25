"""Adapters of models that hear whether a turn is over."""
