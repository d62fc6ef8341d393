"""What the environment says about the way to servers: proxies and trusted certificates."""

from __future__ import annotations

import importlib.util
import os
import ssl
from pathlib import Path
from urllib.request import getproxies, proxy_bypass

import httpx

from aqt_fast.exceptions import InvalidSettingError

_EXAMPLE = "http://proxy.example:3128"


def proxy_for(url: httpx.URL) -> httpx.Proxy | None:
    """Return the proxy to a server with TLS, None for none.

    It is that of ``HTTPS_PROXY``, else of ``ALL_PROXY``, or of the system, unless ``NO_PROXY``
    names the host: as in ``urllib.request``.

    Raises:
        InvalidSettingError: the variable is not the URL of a proxy, or its package is missing.
    """
    proxies = getproxies()
    for kind in ("https", "all"):
        address = proxies.get(kind)
        if address:
            if proxy_bypass(url.host) or proxy_bypass(f"{url.host}:{url.port or 443}"):
                return None
            return _proxy(_variable(f"{kind}_proxy"), address)
    return None


def trusted_certificates() -> ssl.SSLContext:
    """Return the trusted certificates: ``SSL_CERT_FILE``, else ``SSL_CERT_DIR``, else certifi's.

    Raises:
        InvalidSettingError: the file or the directory cannot be read.
    """
    file, directory = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    if file:
        try:
            return ssl.create_default_context(cafile=file)
        except (OSError, ValueError) as error:
            reason = f"{file} cannot be read as certificates in PEM: {_words(error)}"
            raise InvalidSettingError("SSL_CERT_FILE", reason) from error
    if directory:
        try:
            for path in directory.split(os.pathsep):
                next(Path(path).iterdir(), None)
            return ssl.create_default_context(capath=directory)
        except (OSError, ValueError) as error:
            reason = f"{directory} cannot be read as a directory: {_words(error)}"
            raise InvalidSettingError("SSL_CERT_DIR", reason) from error
    return httpx.create_ssl_context(trust_env=False)


def check_for_httpx() -> None:
    """Check what a client of httpx takes from the environment, before another package makes one.

    Raises:
        InvalidSettingError: a variable would make httpx fail.
    """
    trusted_certificates()
    proxies = getproxies()
    for kind in ("http", "https", "all"):
        if proxies.get(kind):
            _proxy(_variable(f"{kind}_proxy"), proxies[kind])
    try:
        httpx.Client().close()
    except Exception as error:  # all else is checked
        reason = f"httpx cannot read it: {_words(error)}"
        raise InvalidSettingError(_variable("no_proxy"), reason) from error


def _proxy(variable: str, address: str) -> httpx.Proxy:
    # No message shows the value: it may hold a password.
    try:
        proxy = httpx.Proxy(address if "://" in address else f"http://{address}")
        usable = bool(proxy.url.host) and (proxy.url.port or 0) < 2**16
    except (httpx.InvalidURL, ValueError):
        usable = False
    if not usable:
        raise InvalidSettingError(variable, f"it is not the URL of a proxy, such as {_EXAMPLE}")
    if proxy.url.scheme.startswith("socks") and importlib.util.find_spec("socksio") is None:
        missing = "a SOCKS proxy needs the package socksio: pip install 'httpx[socks]'"
        raise InvalidSettingError(variable, missing)
    return proxy


def _variable(name: str) -> str:
    """The variable's name as it is written in the environment; lower case comes first."""
    return name if name in os.environ else name.upper()


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
