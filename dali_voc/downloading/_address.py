"""Addresses that may hold secrets: for people without them, for the server with them."""

from __future__ import annotations

import base64
import re
import urllib.parse
import urllib.request
from typing import Any

__all__ = ["open_address", "proxy_of", "shown"]


def shown(url: str) -> str:
    """Return an address for people, without its password and what a signed one has after `?`.

    A user without a password is a token, as a rule, and left out as well. It may be no proper
    address: a password that is not escaped may have any signs.
    """
    scheme, mark, rest = url.partition("://") if "://" in url else ("", "", url)
    begin = re.split("[/?#]", rest, maxsplit=1)[0]
    if "@" in begin or (":" in begin and "@" in rest):
        userinfo, _, place = rest.rpartition("@")
        user, colon, _ = userinfo.partition(":")
        rest = f"{user}:***@{place}" if colon else f"***@{place}"
    return f"{scheme}{mark}{re.sub('[?].*', '?…', rest.partition('#')[0], flags=re.DOTALL)}"


def open_address(url: str, *, headers: dict[str, str], timeout: float) -> Any:
    """Ask for an address; `user:password@` becomes HTTP's basic authentication.

    Those are sent to the server that the address names, also where it redirects to another of its
    own addresses, and to nobody else.

    Raises:
        ValueError: it is no address.
        OSError: nothing came.
    """
    parts = urllib.parse.urlsplit(url)
    userinfo, at, host = parts.netloc.rpartition("@")
    address = urllib.parse.urlunsplit(parts._replace(netloc=host))
    request = urllib.request.Request(address, headers=headers)
    redirects = urllib.request.HTTPRedirectHandler()
    if at:
        pair = urllib.parse.unquote_to_bytes(userinfo if ":" in userinfo else f"{userinfo}:")
        redirects = _SignedRedirects(address, f"Basic {base64.b64encode(pair).decode()}")
        redirects.sign(request)
    # urlopen would go on with the proxies of its first call
    return urllib.request.build_opener(redirects).open(request, timeout=timeout)


def proxy_of(url: str) -> str | None:
    """Return the proxy that the environment names for an address, for people, or None."""
    parts = urllib.parse.urlsplit(url)
    proxy = urllib.request.getproxies().get(parts.scheme)
    if proxy and not urllib.request.proxy_bypass(parts.hostname or ""):
        return shown(proxy)
    return None


class _SignedRedirects(urllib.request.HTTPRedirectHandler):
    """Signs requests to one server, and those that it redirects to itself."""

    def __init__(self, url: str, signature: str) -> None:
        self._server = _server_of(url)
        self._signature = signature

    def sign(self, request: urllib.request.Request) -> None:
        """Add the signature, if the request is for that server."""
        if _server_of(request.full_url) == self._server:
            request.add_unredirected_header("Authorization", self._signature)

    def redirect_request(self, *arguments: Any) -> urllib.request.Request | None:
        """Return the request that follows, as urllib has it, signed."""
        request = super().redirect_request(*arguments)
        if request is not None:
            self.sign(request)
        return request


def _server_of(url: str) -> tuple[str, str | None, int | None]:
    parts = urllib.parse.urlsplit(url)
    return parts.scheme, parts.hostname, parts.port
