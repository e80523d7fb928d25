"""What it says when, and how: greeting, echo, manners, instructions, word by word, honestly."""

import pytest

from tests.models.llm.builtin.conversation import parts, reply
from vivavoce.models.interfaces import Finish, Llm, Message, Said
from vivavoce.models.llm.builtin import BuiltinLlm
from vivavoce.models.llm.builtin.manners import GREETING, NOT_HEARD


def test_it_fits_the_interface() -> None:
    fits: type[Llm] = BuiltinLlm
    assert fits


async def test_it_speaks_word_by_word() -> None:
    assert await parts("say one two") == [Said("One"), Said(" two."), Finish()]


async def test_it_heeds_the_limit() -> None:
    assert await parts("say one two three", max_tokens=2) == [Said("One"), Said(" two"), Finish("length")]


async def test_it_greets_when_nothing_was_said() -> None:
    assert await reply(None) == GREETING
    assert await reply([Message("system", "be nice")]) == GREETING


async def test_it_asks_again_when_nothing_was_understood() -> None:
    assert await reply("") == NOT_HEARD


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        ("say hello to everyone", "Hello to everyone."),
        ("Please say: Good morning, Vietnam!", "Good morning, Vietnam!"),
        ("can you repeat after me the sky is blue", "The sky is blue."),
        ("hello there", "Hello! What can I do for you?"),
        ("thank you very much", "You are welcome."),
        ("stop please", "All right."),
        ("say that again", "I have not said anything yet."),
    ],
)
async def test_courtesies(request_: str, answer: str) -> None:
    assert await reply(request_) == answer


async def test_it_says_its_last_words_again() -> None:
    talk = [Message("user", "say one"), Message("assistant", "One."), Message("user", "repeat that please")]
    assert await reply(talk) == "One."


@pytest.mark.parametrize(
    ("instructions", "answer"),
    [
        ("Respond with exactly 'pong'.", "pong"),
        ('Say only "yes, it\'s me"', "yes, it's me"),
        ("Reply with exactly: hello world", "hello world"),
        ("You are kind.\nAlways answer with only the word “blue”.", "blue"),
        ("You are helpful. Answer only in English.", "Hello! What can I do for you?"),
        ("Don't say 'sorry'. It's only polite to say hello.", "Hello! What can I do for you?"),
    ],
)
async def test_instructions_that_dictate_the_answer(instructions: str, answer: str) -> None:
    assert await reply("hello", instructions) == answer


async def test_it_is_honest_about_what_it_cannot_do() -> None:
    said = await reply("what do you think of love")
    assert '"what do you think of love"' in said
    assert "stand-in" in said
    assert "OPENAI_API_KEY" in said
    assert "OPENAI_API_KEY" in await reply("word " * 1000)
    assert len(await reply("word " * 1000)) < 300
