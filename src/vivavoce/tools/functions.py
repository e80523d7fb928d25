"""Python functions as tools: found by ``module:name`` or ``file.py:name``, described by themselves, run elsewhere."""

import importlib
import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec

from vivavoce.access.tool_table import NAME, OWN_LABEL, PythonSpec
from vivavoce.tools.elsewhere import Elsewhere
from vivavoce.tools.hints import Signature, signature
from vivavoce.tools.interface import Caller, LoadError, ServerTool, ToolError

__all__ = ["load_function"]


def load_function(spec: PythonSpec, directory: Path, elsewhere: Elsewhere) -> ServerTool:
    """Imports the module, which runs what is in it. ``directory`` is where files are looked for, and modules beside
    those that are installed. Raises :class:`LoadError`."""
    place, _, name = spec.target.rpartition(":")
    at = f"{spec.at} ({spec.target})"
    function = getattr(_module(place, directory, at), name, None)
    if function is None:
        raise LoadError(f"{at}: there is no '{name}' in {place}.")
    if not callable(function) or inspect.isclass(function):
        raise LoadError(f"{at}: '{name}' is no function.")
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise LoadError(f"{at}: '{name}' yields, and a tool returns.")
    if not NAME.fullmatch(name):
        raise LoadError(f"{at}: a tool's name has letters, digits and _, 64 at most.")
    described = signature(function, at)
    return ServerTool(
        name=name,
        label=OWN_LABEL,
        description=described.description,
        parameters=described.parameters,
        call=partial(_call, function, described, elsewhere),
        timeout=spec.timeout,
        filler=spec.filler,
    )


async def _call(
    function: Callable[..., Any], described: Signature, elsewhere: Elsewhere, given: dict[str, Any], caller: Caller
) -> str:
    try:
        arguments = msgspec.convert(given, described.arguments, strict=False)
    except msgspec.ValidationError as error:
        raise ToolError(f"The arguments are wrong: {error}.") from None
    named = {name: value for name, value in msgspec.structs.asdict(arguments).items() if value is not msgspec.UNSET}
    if described.caller is not None:
        named[described.caller] = caller
    work = partial(function, **named)
    run = elsewhere.coroutine if inspect.iscoroutinefunction(function) else elsewhere.function
    return _text(await run(work))


def _text(result: Any) -> str:
    """A text as it is, nothing as such, all else as JSON."""
    if isinstance(result, str):
        return result
    if result is None:
        return "Done."
    try:
        return msgspec.json.encode(result).decode()
    except (TypeError, ValueError, RecursionError) as error:
        raise TypeError(f"it returned what is neither text nor JSON: {error}") from None


def _module(place: str, directory: Path, at: str) -> ModuleType:
    if str(directory) not in sys.path:
        sys.path.append(str(directory))
    try:
        return _from_file(directory / place, at) if place.endswith(".py") else importlib.import_module(place)
    except LoadError:
        raise
    except ModuleNotFoundError as error:
        raise LoadError(f"{at}: there is no module '{error.name}', in {directory} or installed.") from None
    except (Exception, SystemExit) as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        why = f"{type(error).__name__}: {error} ({where.filename}, line {where.lineno})"
        raise LoadError(f"{at} does not load: {why}.") from error


def _from_file(path: Path, at: str) -> ModuleType:
    """Once, however many tools are in it."""
    if not path.is_file():
        raise LoadError(f"{at}: there is no file {path}.")
    name = f"vivavoce_tools_{path.resolve().as_posix().encode().hex()}"
    if name in sys.modules:
        return sys.modules[name]
    found = importlib.util.spec_from_file_location(name, path)
    assert found
    assert found.loader
    module = sys.modules[name] = importlib.util.module_from_spec(found)
    try:
        found.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
