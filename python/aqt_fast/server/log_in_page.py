"""The page on which a person confirms a login."""

from __future__ import annotations

import html

from starlette.responses import HTMLResponse

PATH = "/activate"
"""Where the page is."""

_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "referrer-policy": "same-origin",
    "cache-control": "no-store",
}

_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>aqt-fast: login</title>
<h1>aqt-fast: login</h1>
<p>{text}</p>{form}
"""

_FORM = """
<form method="post" action="{path}">
<p><label>Code of the login <input name="user_code" value="{user_code}" required></label></p>
<p><label>Confirmation code <input name="confirmation_code" autocomplete="off" required autofocus>
</label></p>
<p><button>Confirm</button></p>
</form>"""


def form_page(user_code: str, *, failed: bool = False) -> HTMLResponse:
    """Ask for the confirmation code, for the first time or again."""
    text = "The server has printed a confirmation code for this login. Enter it here."
    if failed:
        text = f"The codes do not fit, or this login has ended. {text}"
    form = _FORM.format(path=PATH, user_code=html.escape(user_code))
    return _page(text, form, 403 if failed else 200)


def text_page(text: str) -> HTMLResponse:
    """Show a text."""
    return _page(text, "", 200)


def _page(text: str, form: str, status: int) -> HTMLResponse:
    return HTMLResponse(_PAGE.format(text=html.escape(text), form=form), status, _HEADERS)
