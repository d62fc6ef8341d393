"""The commands about the access token: ``log-in``, ``log-out`` and ``whoami``."""

from __future__ import annotations

import base64
import binascii
import json
import os
import sys
from contextlib import suppress
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import click

from aqt_fast._texts import LONGEST_NAME, one_line
from aqt_fast.cli.stored import json_option
from aqt_fast.cli.terminal import errors, print_json, say
from aqt_fast.visualization.quantities import local_time

if TYPE_CHECKING:
    from aqt_fast.provider.access import Access


@click.command("log-in")
@click.option("--anew", is_flag=True, help="Log in even if the saved token is valid.")
def log_in(*, anew: bool) -> None:
    """Log in to AQT's cloud, and save the tokens for later.

    Nothing happens while the saved token is valid or can be renewed.

    With AQT_CLIENT_ID and AQT_CLIENT_SECRET, this runs unattended. Otherwise, open the link that it
    prints. The tokens are saved in ~/.aqt, readable by you only, unless AQT's configuration turns
    that off.
    """
    with errors():
        from aqt_fast.aqt_provider import AQTProvider

        with AQTProvider("") as provider:
            provider.log_in(anew=anew)
    say("logged in")


@click.command("log-out")
def log_out() -> None:
    """Delete the saved tokens of the last log-in from this computer.

    AQT's login is not told: copies of the tokens, as on other computers, stay valid until they
    expire.
    """
    with errors():
        from aqt_fast.login.tokens import TokenStore
        from aqt_fast.provider.settings import Settings

        found = TokenStore().remove()
        say("logged out" if found else "nobody was logged in: no tokens are saved")
        if Settings.read(None, search=True).get("AQT_TOKEN"):
            say("there is a token in AQT_TOKEN, which stays")


@click.command()
@json_option
def whoami(as_json: bool) -> None:
    """Show the access token's origin, user and expiry, and ask the portal what it opens.

    The token itself is not printed.

    Exit code 1: there is no token, or the portal refuses it or cannot be reached.
    """
    with errors():
        from aqt_fast.api_client import PortalClient
        from aqt_fast.exceptions import APIError
        from aqt_fast.provider.access import Access
        from aqt_fast.provider.settings import Settings

        settings = Settings.read(None, search=True)
        access = Access(None, None, settings, None)
        if not access.token:
            reason = access.missing or "run aqt-fast log-in, or set AQT_TOKEN"
            say(f"there is no access token for {access.portal_url}: {reason}")
            sys.exit(1)
        origin = "the last log-in"
        if settings.get("AQT_TOKEN") is not None:
            origin = "AQT_TOKEN, " + (
                "of the environment" if "AQT_TOKEN" in os.environ else "of the file .env"
            )
        portal = PortalClient(access.credentials(), portal_url=access.portal_url)
        opened: dict[str, list[str]] | None = None
        refusal: APIError | None = None
        try:
            listed = portal.list_workspaces()
            opened = {
                workspace: [resource.resource_id for resource in resources]
                for workspace, resources in listed.items()
            }
        except APIError as error:
            refusal = error
        finally:
            portal.close()
        if as_json:
            print_json(_described(access, origin, opened))
        else:
            _print(access, origin, opened)
        if refusal is not None:
            raise refusal


def _described(access: Access, origin: str, opened: dict[str, list[str]] | None) -> dict[str, Any]:
    """Describe the token in JSON's types."""
    claims = _claims(access.token)
    expiry = _expiry(claims)
    return {
        "portal_url": access.portal_url,
        "token_from": origin,
        "user": _user(claims),
        "expires": None if expiry is None else expiry.isoformat(),
        "workspaces": opened,
    }


def _print(access: Access, origin: str, opened: dict[str, list[str]] | None) -> None:
    """Describe the token in lines."""
    claims = _claims(access.token)
    expiry = _expiry(claims)
    rows = [("portal", access.portal_url), ("token", f"of {origin}")]
    if (user := _user(claims)) is not None:
        rows.append(("user", user))
    if expiry is not None:
        ended = expiry <= datetime.now(timezone.utc)
        rows.append(("expired" if ended else "expires", local_time(expiry)))
    for workspace, resources in (opened or {}).items():
        rows.append(("workspace", f"{workspace}: {', '.join(resources) or 'no resources'}"))
    for name, text in rows:
        click.echo(f"{name:<10} {one_line(text)}")


def _claims(token: str) -> dict[str, Any]:
    """Return what a JSON web token says of itself, unverified; nothing if it is another token."""
    with suppress(ValueError, binascii.Error, IndexError):
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        if isinstance(claims, dict):
            return claims
    return {}


def _user(claims: dict[str, Any]) -> str | None:
    found = (claims.get(name) for name in ("email", "name", "sub"))
    return next((one_line(text, LONGEST_NAME) for text in found if isinstance(text, str)), None)


def _expiry(claims: dict[str, Any]) -> datetime | None:
    with suppress(KeyError, TypeError, ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(float(claims["exp"]), timezone.utc)
    return None
