"""Who may speak to the server: the browser that was given its address, and no page.

Another page in the same browser can send requests to any address of this machine, and
by a name of its own that leads to it (DNS rebinding) read what comes back. So each
request must name a host that is meant, bring the token, and, to change something, come
from our page.
"""

import hmac
import ipaddress
import secrets
from collections.abc import Iterable
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK_NAMES = frozenset(["localhost"])
_FRAMES = "http://localhost:* http://127.0.0.1:* https://localhost:*"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data: blob:; media-src 'self' blob:; connect-src 'self'; "
    f"base-uri 'none'; form-action 'none'; frame-ancestors 'self' {_FRAMES}"
)
_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Guard:
    """Refuses requests that are none of the page's.

    Parameters
    ----------
    app : ASGI application
        What is guarded.
    hosts : iterable of str
        Names by which the server may be called; `localhost` and, of addresses, those of
        this machine's loopback always may.
    any_address : bool
        Whether it may be called by any address, as one that listens to others is. An
        address can't be rebound, unlike a name.
    """

    def __init__(
        self, app: ASGIApp, *, hosts: Iterable[str] = (), any_address: bool = False
    ) -> None:
        self._app = app
        self._hosts = LOOPBACK_NAMES | {host.lower() for host in hosts}
        self._any_address = any_address
        self.token = secrets.token_urlsafe(32)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what is allowed."""
        if scope["type"] != "http":
            return  # web sockets are not used

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        answer = self._refusal(scope)
        await (answer or self._app)(scope, receive, send_with_headers)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not self._is_ours(host):
            return PlainTextResponse("This host is not served.", 403)
        query = parse_qs(scope["query_string"].decode("latin-1"))
        port = urlsplit(f"//{host}").port or 80
        name = f"skgenre-{port}"  # cookies don't know ports
        if scope["path"] == "/" and self._is_token(query.get("token", [""])[0]):
            response = RedirectResponse("/", 303)
            response.set_cookie(name, self.token, httponly=True, samesite="strict")
            return response
        if not self._is_token(cookie_parser(headers.get("cookie", "")).get(name, "")):
            return PlainTextResponse(
                "Open the address that skgenre has printed, with its token.", 403
            )
        if scope["method"] not in ("GET", "HEAD"):
            if headers.get("origin") not in (f"http://{host}", f"https://{host}"):
                return PlainTextResponse("Another page may not ask for this.", 403)
        return None

    def _is_token(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self.token.encode())

    def _is_ours(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
            _ = urlsplit(f"//{host}").port
        except ValueError:
            return False
        if name in self._hosts:
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return False
        return self._any_address or address.is_loopback
