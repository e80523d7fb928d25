"""The small built-in mind: what a fresh machine, with no key and no download, answers with.

It tells the time anywhere, does sums, repeats, calls a tool that the words match, and says of anything
else that it is a stand-in. One skill a file; ``mind`` asks them in turn.
"""

from vivavoce.models.llm.builtin.mind import BuiltinLlm

__all__ = ["BuiltinLlm"]
