"""Malformed frames by the thousand, thrown at a live server: ``make fuzz``."""
