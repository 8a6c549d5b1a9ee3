"""Why a connection failed, in the words of the operating system: HTTP libraries show their own objects instead."""

from __future__ import annotations

import os
import re
import socket
import ssl
import sys
from http.client import HTTPException, RemoteDisconnected

from seedance_provider.network.environment import CA_VARIABLES, ca_bundle

__all__ = ["cause_of"]

#: Where OpenSSL's error was found in Python's source.
_PLACE = re.compile(r" \(_ssl\.c:\d+\)$")
#: OpenSSL's codes for a certificate that nobody has signed whom we trust.
_UNKNOWN_ISSUER = (2, 18, 19, 20, 21)
_OWN_CA = f" (is it your network's own CA? Name its file in {', '.join(CA_VARIABLES[:-1])} or {CA_VARIABLES[-1]})"


def cause_of(error: BaseException) -> str:
    """
    Return what really happened: ``Connection refused``, say. That holds neither a URL nor a header that was sent, but
    maybe a line of what came back.

    :param error: of requests, urllib3 or aiohttp.
    """
    # Its origin is the first error below that is not a library's. Beyond that may be what the caller was handling.
    origin: BaseException | None = error
    is_of_proxy = False
    while origin is not None and not _is_of_python(origin):
        is_of_proxy |= "Proxy" in type(origin).__name__
        origin = origin.__cause__ or origin.__context__
    words = _words(error if origin is None else origin)
    return f"proxy: {words}" if is_of_proxy else words


def _is_of_python(error: BaseException) -> bool:
    is_own = type(error).__module__.partition(".")[0] in sys.stdlib_module_names
    return bool(str(error)) and (isinstance(error, HTTPException) or (is_own and isinstance(error, OSError)))


def _words(error: BaseException) -> str:
    match error:
        case ssl.SSLCertVerificationError():
            said = f"certificate verify failed: {error.verify_message}"
            return said + _OWN_CA if error.verify_code in _UNKNOWN_ISSUER else said
        case ssl.SSLError(library="X509" | "PEM"):
            return f"the CA bundle {ca_bundle()} holds no certificate that can be read"
        case TimeoutError():
            return "timed out"
        case ssl.SSLError() | socket.gaierror():
            return _PLACE.sub("", error.strerror or str(error))
        case HTTPException():
            # The text of others may be what the other side has sent, and that may be the key.
            is_ours = isinstance(error, RemoteDisconnected) or type(error).__name__ == "IncompleteRead"
            return str(error) if is_ours else f"broken HTTP: {type(error).__name__}"
        case OSError(errno=int(number)):
            # Python's own words for some of them, such as asyncio's, are about something else.
            return os.strerror(number)
        case BaseException(args=(str(words), *_)) if " object at 0x" not in words and "://" not in words:
            return words
    return type(error).__name__
