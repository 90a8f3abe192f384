"""Who calls a FastAPI service: from the identity that a proxy passes on, or from a verdict of POST /v1/verify."""

from collections.abc import Callable
from http.client import HTTPException as NoAnswer
from json import dumps, load
from threading import Lock
from time import monotonic
from urllib.request import Request as Ask, urlopen

import jwt
from fastapi import HTTPException, Request, Security
from fastapi.security import APIKeyHeader, SecurityScopes
from pydantic import BaseModel


class Key(BaseModel):
    id: str
    owner: str
    environment: str
    scopes: list[str]


refusals = {400: {"description": "More than one key"}, 401: {"description": "The key is missing or not valid"},
            403: {"description": "The key is not allowed here"}, 429: {"description": "The key is over a limit"},
            503: {"description": "Keys cannot be checked at the moment"}}
Check = Callable[[Request, list[str]], Key]


def refused(status: int, detail: str, headers: dict[str, str] | None = None) -> HTTPException:
    challenge = {"WWW-Authenticate": "X-API-Key"} if status == 401 else {}
    return HTTPException(status, detail, {"Cache-Control": "no-store", **challenge, **(headers or {})})


def unavailable() -> HTTPException:
    return refused(503, "API keys cannot be checked at the moment. Try again shortly.", {"Retry-After": "1"})


def one_line(request: Request, name: str) -> str:
    lines = request.headers.getlist(name)  # .get(...) would silently take the first of two
    if len(lines) > 1:
        raise refused(400, "More than one API key was sent. Send exactly one.")
    return lines[0] if lines else ""


def from_identity(keys: str, audience: str, issuer: str = "latchkey", environment: str = "live") -> Check:
    """Checks X-Latchkey-Identity with the public keys at an address, which are read again for a key that is not known."""
    known, read, tried, lock = {}, float("-inf"), float("-inf"), Lock()

    def key_named(kid: str):
        nonlocal known, read, tried
        with lock:
            now = monotonic()
            if now - tried > 5 and (kid not in known or now - read > 300):
                tried = now
                try:
                    with urlopen(keys, timeout=3) as answer:
                        known = {key.key_id: key.key for key in jwt.PyJWKSet.from_dict(load(answer)).keys}
                    read = now
                except (OSError, NoAnswer, ValueError, jwt.PyJWTError):
                    pass  # What was read last holds for a quarter of an hour.
            if now - read > 900:
                raise unavailable()
        return known.get(kid)

    def check(request: Request, scopes: list[str]) -> Key:
        identity = one_line(request, "X-Latchkey-Identity")
        try:
            header = jwt.get_unverified_header(identity)
            key = key_named(str(header.get("kid"))) if header.get("typ") == "latchkey-identity+jwt" else None
            if key is None:
                raise jwt.InvalidTokenError
            said = jwt.decode(identity, key, algorithms=["EdDSA"], audience=audience, issuer=issuer, leeway=5,
                              options={"require": ["exp", "iat", "sub", "aud", "iss"]})
        except jwt.InvalidTokenError:
            raise refused(401, "Invalid or missing API Key") from None
        found = Key(id=said["sub"], **{name: said[name] for name in ("owner", "environment", "scopes")})
        if found.environment != environment or not set(scopes) <= set(found.scopes):
            raise refused(403, "This API key does not have the scope that this operation needs.")
        return found

    return check


def from_verify(url: str, admin_key: str, environment: str = "live") -> Check:
    """Asks a Latchkey server about the X-API-Key of each request, with an admin key that has keys:verify."""

    def check(request: Request, scopes: list[str]) -> Key:
        body = {"credential": one_line(request, "X-API-Key"), "scopes": scopes, "environment": environment}
        address = {"address": request.client.host} if request.client else {}
        headers = {"Content-Type": "application/json", "X-API-Key": admin_key}
        try:
            with urlopen(Ask(f"{url}/v1/verify", dumps(body | address).encode(), headers), timeout=3) as answer:
                verdict = load(answer)
        except (OSError, NoAnswer, ValueError):
            raise unavailable() from None
        if verdict["valid"]:
            return Key(**verdict["key"])
        retry = {"Retry-After": str(verdict["retryAfter"])} if "retryAfter" in verdict else {}
        raise refused(verdict["answer"]["status"], verdict["answer"]["detail"], retry)

    return check


def requires_with(check: Check):
    """Makes `requires`: `@app.get("/orders", dependencies=[requires("orders:read")], responses=refusals)`."""

    # Not async: FastAPI runs it in a thread, and nothing waits for it meanwhile.
    def key_of(request: Request, needed: SecurityScopes,
               _shown: str | None = Security(APIKeyHeader(name="X-API-Key", auto_error=False))) -> Key:
        return check(request, needed.scopes)

    def requires(scope: str, *more: str):
        return Security(key_of, scopes=[scope, *more])

    return requires
