import pytest

from vivavoce.client.allowlist import Allowed, AllowList, is_public


def allow(*entries: str) -> AllowList:
    return AllowList(map(Allowed.parse, entries))


@pytest.mark.parametrize(
    ("entry", "url"),
    [
        ("https://mcp.example", "https://mcp.example/"),
        ("https://mcp.example", "https://mcp.example/a/b?key=1"),
        ("https://mcp.example/", "https://mcp.example:443/a"),
        ("https://mcp.example/v1", "https://mcp.example/v1"),
        ("https://mcp.example/v1/", "https://mcp.example/v1/tools"),
        ("HTTPS://MCP.example", "https://Mcp.Example/a"),
        ("http://localhost:8000", "http://localhost:8000/mcp"),
        ("http://[::1]:8000", "http://[::1]:8000/mcp"),
        ("http://home:8000/mcp#private", "http://home:8000/mcp"),
    ],
)
def test_what_is_written_down_is_allowed(entry: str, url: str):
    assert allow("https://other.example", entry).find_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://mcp.example/v1",
        "https://mcp.example:8443/v1",
        "https://mcp.example/",
        "https://mcp.example/v10",
        "https://mcp.example/v1/../admin",
        "https://mcp.example/v1/%2E%2e/admin",
        "https://mcp.example/v1/.",
        "https://mcp.example.evil.example/v1",
        "https://evil.example/https://mcp.example/v1",
        "https://mcp.example@evil.example/v1",
        "https://user:password@mcp.example/v1",
        "https://evil.example\\@mcp.example/v1",
        "https://mcp.example\t/v1",
        "https://mcp.example./v1",
        "https://mcp.exämple/v1",
        "https://mcp.example:99999/v1",
        "file:///v1",
        "mcp.example/v1",
        "https:///v1",
        "",
    ],
)
def test_what_is_not_is_not(url: str):
    assert not allow("https://mcp.example/v1").find_url(url)


def test_an_empty_list_allows_nothing():
    assert not allow()
    assert not allow().find_url("https://mcp.example/")


@pytest.mark.parametrize("entry", ["mcp.example", "ftp://mcp.example", "https://", "https://a@mcp.example", "https://a/?b",
                                   "https://a/#b", "https://a:0x1", ""])  # fmt: skip
def test_an_entry_has_to_be_an_address(entry: str):
    with pytest.raises(ValueError, match="is not an address such as"):
        Allowed.parse(entry)


@pytest.mark.parametrize(
    ("entry", "private"),
    [
        ("https://mcp.example", False),
        ("http://home:8000", False),
        ("http://home:8000#private", True),
        ("http://localhost:8000", True),
        ("http://127.0.0.1:8000", True),
        ("http://192.168.1.7", True),
        ("http://[fd00::1]", True),
    ],
)
def test_which_may_lead_into_the_own_network(entry: str, private: bool):
    assert Allowed.parse(entry).private is private


@pytest.mark.parametrize("address", ["93.184.215.14", "8.8.8.8", "2606:4700::1111", "64:ff9b::8.8.8.8"])
def test_public_addresses(address: str):
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "127.1.2.3", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.0.1", "169.254.169.254", "100.64.0.1",
     "224.0.0.1", "240.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1",
     "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:db8::1", "no address"],
)  # fmt: skip
def test_addresses_that_are_not(address: str):
    assert not is_public(address)
