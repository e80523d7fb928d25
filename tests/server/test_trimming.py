"""Free memory is given back, where that can be asked for."""

import asyncio
import platform

import pytest

from tests.support.virtual_time import virtual_time
from vivavoce.server.trimming import EVERY, given_back, trim


@virtual_time
async def test_it_is_given_back_again_and_again():
    asked = iter(range(1, 9))
    trimming = asyncio.create_task(trim(lambda spare: next(asked) + spare))
    await asyncio.sleep(3.5 * EVERY)
    assert next(asked) == 4
    trimming.cancel()
    await asyncio.wait([trimming])
    await trim(None)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be asked")
def test_glibc_can_be_asked():
    give_back = given_back()
    assert give_back is not None
    assert give_back(0) in (0, 1)
