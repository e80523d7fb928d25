"""Python functions as tools: found, described, called with what a model gives, and kept from doing harm."""

import asyncio
import sys
import textwrap
import threading
from pathlib import Path
from typing import Any

import pytest

from vivavoce.access.tool_table import PythonSpec
from vivavoce.protocol.session.mcp import McpFailure
from vivavoce.tools.elsewhere import Elsewhere
from vivavoce.tools.functions import load_function
from vivavoce.tools.interface import Caller, LoadError, ServerTool
from vivavoce.tools.running import run

CALLER = Caller(session="sess_1", owner="user:ann", agent="blue", context={"page": "/cart"})


@pytest.fixture
def elsewhere():
    place = Elsewhere(threads=2)
    yield place
    place.close()


@pytest.fixture(autouse=True)
def _path():
    before = list(sys.path)
    yield
    sys.path[:] = before


def written(directory: Path, text: str, name: str = "mine.py") -> Path:
    path = directory / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("from vivavoce.tools import Caller, ToolError\n" + textwrap.dedent(text))
    return path


def load(directory: Path, elsewhere: Elsewhere, target: str, timeout: float = 5.0) -> ServerTool:
    return load_function(PythonSpec(at="tools[0]", target=target, timeout=timeout), directory, elsewhere)


def module_of(tool: ServerTool) -> Any:
    return sys.modules[tool.call.args[0].__module__]  # type: ignore[attr-defined]


async def called(tool: ServerTool, arguments: str = "{}") -> str | McpFailure:
    return await run(tool, arguments, CALLER, asyncio.get_running_loop().time)


async def words(tool: ServerTool, arguments: str = "{}") -> str:
    result = await called(tool, arguments)
    assert isinstance(result, McpFailure), result
    return result.message


TOOLS = '''
    import asyncio, dataclasses, sys, threading

    @dataclasses.dataclass
    class Place:
        city: str
        country: str = "AT"

    def plain(city: str, days: int = 3) -> str:
        """It."""
        return f"{city} {days}"

    async def later(city: str) -> str:
        """It."""
        await asyncio.sleep(0.01)
        return f"{city} later"

    def nested(place: Place, caller: Caller) -> dict:
        """It."""
        return {"city": place.city, "who": caller.owner, "agent": caller.agent, "page": caller.context["page"]}

    def nothing() -> None:
        """It."""

    def thread() -> bool:
        """It."""
        return threading.current_thread() is threading.main_thread()

    def words() -> str:
        """It."""
        raise ToolError("There is no such city.")

    def secret() -> str:
        """It."""
        raise RuntimeError("the password is swordfish")

    def leaves() -> str:
        """It."""
        sys.exit(3)

    async def leaves_later() -> str:
        """It."""
        raise SystemExit

    def stops() -> str:
        """It."""
        raise StopIteration

    def strange() -> object:
        """It."""
        return threading.Lock()

    async def blocks() -> str:
        """It."""
        held.wait(20)
        return "blocked"

    async def never() -> str:
        """It."""
        try:
            await asyncio.Event().wait()
        finally:
            gone.set()

    gone = threading.Event()
    held = threading.Event()

    def hangs() -> str:
        """It."""
        held.wait(20)
        return "at last"
'''


@pytest.fixture
def tools(tmp_path: Path, elsewhere: Elsewhere):
    written(tmp_path, TOOLS)

    def get(name: str, timeout: float = 5.0) -> ServerTool:
        return load(tmp_path, elsewhere, f"mine.py:{name}", timeout)

    return get


@pytest.mark.parametrize(
    ("name", "arguments", "result"),
    [
        ("plain", '{"city": "Linz"}', "Linz 3"),
        ("plain", '{"city": "Linz", "days": "5"}', "Linz 5"),
        ("later", '{"city": "Linz"}', "Linz later"),
        ("nested", '{"place": {"city": "Linz"}}', '{"city":"Linz","who":"user:ann","agent":"blue","page":"/cart"}'),
        ("nothing", "{}", "Done."),
        ("thread", "", "false"),
    ],
)
async def test_a_function_is_given_what_its_hints_say(tools, name, arguments, result):
    assert await called(tools(name), arguments) == result


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("plain", "{}", "The arguments are wrong: Object missing required field `city`."),
        ("plain", '{"city": 3}', "The arguments are wrong: Expected `str`, got `int` - at `$.city`."),
        ("plain", '{"city": "x", "planet": 1}', "The arguments are wrong: Object contains unknown field `planet`."),
        ("nested", '{"place": {"city": "x"}, "caller": 1}', "The arguments are wrong: Object contains unknown field"),
        ("plain", "[1]", "The arguments of 'plain' are not a JSON object."),
        ("plain", "[" * 100_000, "The arguments of 'plain' are not JSON"),
        ("words", "{}", "There is no such city."),
        ("secret", "{}", "It failed, and nobody here knows why."),
        ("leaves", "{}", "It failed, and nobody here knows why."),
        ("leaves_later", "{}", "It failed, and nobody here knows why."),
        ("stops", "{}", "It failed, and nobody here knows why."),
        ("strange", "{}", "It failed, and nobody here knows why."),
    ],
)  # fmt: skip
async def test_what_goes_wrong_is_told_without_its_insides(tools, name, arguments, said):
    assert (await words(tools(name), arguments)).startswith(said)


async def test_the_cause_is_in_the_log(tools, caplog):
    await called(tools("secret"))
    assert "tool secret failed" in caplog.text
    assert "the password is swordfish" in caplog.text  # for whoever runs the server, and for no model


async def test_a_coroutine_that_blocks_holds_up_no_conversation(tools):
    running = asyncio.create_task(called(tools("blocks")))
    assert await called(tools("plain"), '{"city": "Linz"}') == "Linz 3"
    assert not running.done()
    module_of(tools("blocks")).held.set()
    assert await running == "blocked"


async def test_one_that_hangs_is_left_behind_and_the_next_has_a_thread(tools):
    assert await words(tools("hangs", timeout=0.05)) == "It did not answer within 0.05 seconds."
    assert await called(tools("plain"), '{"city": "Linz"}') == "Linz 3"
    module_of(tools("hangs")).held.set()


async def test_when_all_threads_hang_a_call_fails_in_its_time_and_they_are_free_again(tools):
    module = module_of(tools("hangs"))
    for _ in range(2):
        assert "did not answer" in await words(tools("hangs", timeout=0.05))
    assert "did not answer" in await words(tools("plain", timeout=0.05), '{"city": "Linz"}')
    module.held.set()
    assert await called(tools("plain"), '{"city": "Linz"}') == "Linz 3"


async def test_a_coroutine_is_cancelled_with_its_call(tools):
    tool = tools("never")
    module = module_of(tool)
    running = asyncio.create_task(called(tool))
    await asyncio.sleep(0)
    assert await words(tools("never", timeout=0.05))
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await asyncio.to_thread(module.gone.wait, 5)


def test_a_file_is_run_once_however_many_tools_are_in_it(tmp_path, elsewhere):
    ran: list[int] = []
    sys.modules["counter_for_tests"] = type(sys)("counter_for_tests")
    sys.modules["counter_for_tests"].ran = ran  # type: ignore[attr-defined]
    written(
        tmp_path,
        '''
        import counter_for_tests
        counter_for_tests.ran.append(1)
        def one() -> str:
            """It."""
        def two() -> str:
            """It."""
    ''',
    )
    assert [load(tmp_path, elsewhere, f"mine.py:{name}").name for name in ("one", "two")] == ["one", "two"]
    assert ran == [1]
    del sys.modules["counter_for_tests"]


def test_a_module_is_found_beside_the_file_of_settings(tmp_path, elsewhere):
    written(tmp_path, 'def stock(sku: str) -> str:\n    """It."""\n', "shop_for_tests/orders.py")
    assert load(tmp_path, elsewhere, "shop_for_tests.orders:stock").name == "stock"


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("mine.py:nobody", "tools[0] (mine.py:nobody): there is no 'nobody' in mine.py."),
        ("theirs.py:it", "there is no file "),
        ("no_such_module_here:it", "there is no module 'no_such_module_here', in "),
        ("mine.py:VALUE", "'VALUE' is no function."),
        ("mine.py:Some", "'Some' is no function."),
        ("mine.py:yields", "'yields' yields, and a tool returns."),
        ("mine.py:bare", "has no docstring"),
        ("broken.py:it", "does not load: ZeroDivisionError: division by zero ("),
        ("leaving.py:it", "does not load: SystemExit: 3 ("),
        ("syntax.py:it", "does not load: SyntaxError"),
    ],
)
def test_what_cannot_be_loaded_is_refused_in_words(tmp_path, elsewhere, target, words):
    written(
        tmp_path,
        '''
        VALUE = 1
        class Some: ...
        def yields():
            """It."""
            yield 1
        def bare(): ...
    ''',
    )
    written(tmp_path, "1 / 0", "broken.py")
    written(tmp_path, "import sys\nsys.exit(3)", "leaving.py")
    written(tmp_path, "def def", "syntax.py")
    with pytest.raises(LoadError) as refused:
        load(tmp_path, elsewhere, target)
    assert words in str(refused.value)


async def test_threads_are_no_more_than_they_may_be_and_end_with_the_place():
    place = Elsewhere(threads=3)
    before = threading.active_count()
    running, most, lock = 0, 0, threading.Lock()
    barrier = threading.Barrier(3)

    def work() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        barrier.wait(5)
        with lock:
            running -= 1

    await asyncio.gather(*(place.function(work) for _ in range(9)))
    assert most == 3
    ours: list[Any] = [thread for thread in threading.enumerate() if thread.name.startswith("tool ")]
    place.close()
    for thread in ours[-3:]:
        thread.join(5)
    assert threading.active_count() <= before
