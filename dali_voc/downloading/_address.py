"""Addresses that may hold secrets: for people without them, for the server with them."""

from __future__ import annotations

import base64
import contextlib
import urllib.parse
import urllib.request

__all__ = ["proxy_of", "request_for", "shown"]


def shown(url: str) -> str:
    """Return an address for people, without its password and what a signed one has after `?`."""
    try:
        parts = urllib.parse.urlsplit(url)
    except ValueError:
        return url  # no address, so no secret of one
    user, at, host = parts.netloc.rpartition("@")
    if at:
        user = f"{user.partition(':')[0]}:***" if ":" in user else user
    query = "…" if parts.query else ""
    return urllib.parse.urlunsplit(
        parts._replace(netloc=f"{user}{at}{host}", query=query, fragment="")
    )


def request_for(url: str) -> urllib.request.Request:
    """Return a request for an address; `user:password@` becomes HTTP's basic authentication.

    Raises:
        ValueError: it is no address.
    """
    parts = urllib.parse.urlsplit(url)
    userinfo, at, host = parts.netloc.rpartition("@")
    request = urllib.request.Request(urllib.parse.urlunsplit(parts._replace(netloc=host)))
    if at:
        token = base64.b64encode(urllib.parse.unquote_to_bytes(userinfo)).decode()
        # not for whom the server redirects to
        request.add_unredirected_header("Authorization", f"Basic {token}")
    return request


def proxy_of(url: str) -> str | None:
    """Return the proxy that the environment names for an address, for people, or None."""
    with contextlib.suppress(ValueError):
        parts = urllib.parse.urlsplit(url)
        proxy = urllib.request.getproxies().get(parts.scheme)
        if proxy and not urllib.request.proxy_bypass(parts.hostname or ""):
            return shown(proxy)
    return None
