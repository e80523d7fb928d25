"""Greetings, thanks, and saying honestly what this mind is not."""

from vivavoce.models.llm.builtin.words import Words

__all__ = ["GREETING", "NOT_HEARD", "manners", "stand_in"]

GREETING = "Hello! I am the small built-in voice of Vivavoce. Ask me what time it is somewhere, or give me a sum."
NOT_HEARD = "Sorry, I did not catch that. Please say it again."
_ABILITIES = "I can tell the time anywhere, do sums, repeat after you, and call the tools I am given."
_REAL_MODEL = "For a real conversation, start the server with an OPENAI_API_KEY."

_ANSWERS = {
    ("who are you", "what are you", "what is your name", "what's your name", "are you real", "are you a robot"):
        f"I am the small mind that comes with Vivavoce, a stand-in for a real model. {_ABILITIES}",
    ("what can you do", "what do you do", "help me", "how do you work"): f"{_ABILITIES} {_REAL_MODEL}",
    ("how are you",): "I am well, thank you. What can I do for you?",
    ("thank you", "thanks"): "You are welcome.",
    ("goodbye", "good bye", "bye", "see you", "good night"): "Goodbye!",
}  # fmt: skip
_HELLOS = {"hello", "hi", "hey", "good", "morning", "evening", "afternoon", "there", "howdy"}
_STOPS = {"stop", "please", "be", "quiet", "enough", "wait", "never", "mind", "cancel", "that's", "okay"}


def manners(words: Words) -> str | None:
    """An answer to courtesies, else None."""
    for phrases, answer in _ANSWERS.items():
        if words.has_phrase(*phrases):
            return answer
    if words.has("hello", "hi", "hey", "good") and set(words.lower) <= _HELLOS:
        return "Hello! What can I do for you?"
    if words.has("stop", "quiet", "enough", "wait", "cancel", "mind") and set(words.lower) <= _STOPS:
        return "All right."
    return None


def stand_in(words: Words) -> str:
    """For everything that no skill knows."""
    heard = " ".join(words.text.split())
    quoted = f'I heard: "{heard}". But ' if len(heard) <= 120 else "I heard you, but "
    return f"{quoted}I am only a small stand-in, for the time, sums and the like. {_REAL_MODEL}"
