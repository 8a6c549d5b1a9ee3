"""
What the environment says about the network: whom to trust, and which proxy to use.

requests and aiohttp read different variables. A worker that pays and a triggerer that polls have to read the same ones.
"""

from __future__ import annotations

import os
import ssl
from typing import Any

__all__ = ["CA_VARIABLES", "aiohttp_route", "ca_bundle"]

#: Where the certificates of a network's own CA are; the first one that is set counts.
CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")


def ca_bundle() -> str | None:
    """Return the file, or the folder, of the certificates to trust; ``None`` if no variable names one."""
    return next((os.environ[name] for name in CA_VARIABLES if os.environ.get(name)), None)


def aiohttp_route(url: str) -> dict[str, Any]:
    """
    Return the options with which aiohttp reaches an address in the way of requests: ``proxy`` and ``ssl``.

    :param url: of the API.
    :raises OSError: if there is no such way.
    """
    from requests.utils import get_environ_proxies, select_proxy

    proxy = select_proxy(url, get_environ_proxies(url))
    if proxy and "://" not in proxy:
        proxy = f"http://{proxy}"
    if proxy and not proxy.startswith(("http://", "https://")):
        raise OSError(f"a triggerer speaks to no {proxy.partition(':')[0]} proxy, only to http ones")
    needs_tls = "https" in (url.partition(":")[0], (proxy or "").partition(":")[0])
    return {"proxy": proxy, "ssl": _trusting_context() if needs_tls else True}


def _trusting_context() -> ssl.SSLContext:
    """Trust whom requests trusts. If no variable says whom, that is the system's store, too."""
    from requests.utils import DEFAULT_CA_BUNDLE_PATH

    bundle = ca_bundle()
    if bundle is None:
        context = ssl.create_default_context()
        context.load_verify_locations(DEFAULT_CA_BUNDLE_PATH)
    elif os.path.isdir(bundle):
        context = ssl.create_default_context(capath=bundle)
    elif os.path.exists(bundle):
        context = ssl.create_default_context(cafile=bundle)
    else:
        raise OSError(f"there is no CA bundle at {bundle}")
    context.set_alpn_protocols(["http/1.1"])
    return context
