"""Who is let in: other hosts, other pages and those without the token are not."""

import pytest

pytest.importorskip("starlette")

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from skgenre.explore._guard import Guard

HOME = "http://127.0.0.1:8123"
METHODS = ["GET", "POST"]


def guarded(**options):
    def say(request):
        return PlainTextResponse("music")

    app = Starlette(routes=[Route("/{rest:path}", say, methods=METHODS)])
    return Guard(app, **options)


def browser(guard, base=HOME):
    """Return a client that has opened the page's address."""
    client = TestClient(guard, base_url=base)
    client.get(f"/?token={guard.token}")
    return client


def test_the_token_becomes_a_cookie_that_no_script_reads():
    guard = guarded()
    client = TestClient(guard, base_url=HOME)
    assert client.get("/").status_code == client.get("/api/songs").status_code == 403
    for wrong in ("", "x", guard.token[:-1], guard.token + "x", "\xe9", "%ff%00"):
        assert client.get(f"/?token={wrong}").status_code == 403
    response = client.get(f"/?token={guard.token}", follow_redirects=False)
    assert response.status_code == 303 and response.headers["location"] == "/"
    cookie = response.headers["set-cookie"]
    assert cookie.startswith(f"skgenre-8123={guard.token};")
    assert "HttpOnly" in cookie and "SameSite=strict" in cookie
    assert client.get("/").text == client.get("/api/songs").text == "music"
    # Neither the token of another run nor one in another address counts.
    assert (
        TestClient(guarded(), base_url=HOME, cookies=dict(client.cookies))
        .get("/")
        .status_code
        == 403
    )
    fresh = TestClient(guard, base_url=HOME)
    assert fresh.get(f"/api/songs?token={guard.token}").status_code == 403


@pytest.mark.parametrize(
    ("host", "is_served"),
    [
        ("127.0.0.1:8123", True),
        ("localhost:8123", True),
        ("[::1]:8123", True),
        ("127.0.0.9:8123", True),
        ("attacker.example:8123", False),
        ("127.0.0.1.attacker.example:8123", False),
        ("localhost.attacker.example:8123", False),
        ("user@attacker.example:8123", False),
        ("192.168.1.7:8123", False),
        ("[::1:8123", False),
        ("127.0.0.1:port", False),
        ("", False),
    ],
)
def test_a_name_that_is_rebound_is_not_served(host, is_served):
    guard = guarded()
    cookies = {"cookie": f"skgenre-8123={guard.token}"}
    response = TestClient(guard, base_url=HOME).get(
        "/", headers={"host": host} | cookies
    )
    assert (response.text == "music") == is_served, response.text
    assert is_served or response.status_code == 403


def test_elsewhere_addresses_are_served_and_names_that_are_not_told_are_not():
    guard = guarded(hosts=["Jukebox"], any_address=True)
    for host, status in [
        *(("192.168.1.7:8123", 200), ("jukebox:8123", 200)),
        ("attacker.example:8123", 403),
    ]:
        headers = {"host": host, "cookie": f"skgenre-8123={guard.token}"}
        client = TestClient(guard, base_url=HOME)
        assert client.get("/", headers=headers).status_code == status


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        (HOME, 200),
        ("http://attacker.example", 403),
        ("http://127.0.0.1:9999", 403),
        ("http://localhost:8123", 403),
        ("null", 403),
        ("http://[", 403),
        (None, 403),
    ],
)
def test_another_page_changes_nothing(origin, status):
    headers = {} if origin is None else {"origin": origin}
    assert browser(guarded()).post("/api/labels", headers=headers).status_code == status


def test_the_page_may_load_and_run_nothing_of_others():
    for path in ("/", "/?token=x"):
        headers = browser(guarded()).get(path).headers
        policy = dict(
            part.strip().split(" ", 1)
            for part in headers["content-security-policy"].split(";")
        )
        assert policy["default-src"] == policy["base-uri"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == "'self'"
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cross-origin-resource-policy"] == "same-origin"
