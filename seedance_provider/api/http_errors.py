"""
How the API refuses over HTTP, as data: how to recognise the reason, which error it is, what to do.

The status and the beginning of the message decide. Each status has a last entry for any other text. Such an answer
keeps the verdict of its status, because a refusal in the API's own form is a refusal whatever its words; but unless the
status is documented with any text, the error says that this one is undocumented.

An answer without a JSON ``message``, or with another status, is in no entry. If its status refuses, whatever has sent
it, see :func:`is_refusal`, certainly nothing was accepted; else nobody knows what became of the request.
"""

from __future__ import annotations

from dataclasses import dataclass

from seedance_provider.api.errors import (
    ApiAccessDisabledError,
    ApiError,
    AuthenticationError,
    BadRequestError,
    ConcurrencyLimitError,
    ForbiddenError,
    InsufficientCreditsError,
    InternalServerError,
    RateLimitedError,
    TaskAccessDeniedError,
    TaskNotFoundError,
)

__all__ = [
    "HTTP_ERRORS",
    "REDIRECTED",
    "UNDOCUMENTED_REFUSAL",
    "WEB_PAGE",
    "HttpError",
    "UndocumentedRefusal",
    "classify_http_error",
    "is_refusal",
]


@dataclass(frozen=True)
class HttpError:
    """
    One way in which the API refuses.

    :param status: HTTP status.
    :param prefix: the beginning of the API's message, compared without regard to case; empty for any other one.
    :param reason: short name, for logs, metrics and conditions.
    :param error_class: what it becomes; its verdicts say whether sending again can help.
    :param advice: what a person can do.
    :param is_listed: whether the documentation shows it.
    :param figures: what else the answer has, and the error as attributes.
    """

    status: int
    prefix: str
    reason: str
    error_class: type[ApiError]
    advice: str
    is_listed: bool = True
    figures: tuple[str, ...] = ()


def _unlisted(status: int, error_class: type[ApiError], advice: str) -> HttpError:
    return HttpError(status, "", "unlisted", error_class, advice, is_listed=False)


_CHANGE_INPUTS = "Change the inputs in the DAG, then clear the Airflow task."
_NEW_KEY = "Put a valid key into the password of the connection, then clear the Airflow task."
_WRONG_ID = "Check the id of the video task."
_NO_ACCESS = "Ask the vendor for API access, or use the key of another account, then clear the Airflow task."
_TOP_UP = "Add credits in the vendor's web account, then clear the Airflow task. (The vendor's demo key never has any.)"
_OTHER_ACCOUNT = "Put the key of the account that created the video task into the connection."
_WAIT = "No action needed: the error is transient."

#: Every answer that the vendor documents; for an answer the first one that fits counts.
#:
#: :meta hide-value:
HTTP_ERRORS: tuple[HttpError, ...] = (
    HttpError(400, "Invalid request parameters", "invalid_parameters", BadRequestError, _CHANGE_INPUTS),
    HttpError(400, "Invalid inputs for model", "invalid_inputs", BadRequestError, _CHANGE_INPUTS),
    HttpError(
        400,
        "Unknown model",
        "unknown_model",
        BadRequestError,
        "Use a model that the vendor offers, then clear the Airflow task.",
    ),
    HttpError(400, "Missing taskId parameter", "missing_task_id", TaskNotFoundError, _WRONG_ID),
    HttpError(400, "Invalid taskId", "invalid_task_id", TaskNotFoundError, _WRONG_ID),
    _unlisted(400, BadRequestError, _CHANGE_INPUTS),
    HttpError(401, "Missing Authorization header", "missing_key", AuthenticationError, _NEW_KEY),
    HttpError(401, "Invalid API Key", "invalid_key", AuthenticationError, _NEW_KEY),
    HttpError(
        401,
        "API Key is inactive",
        "inactive_key",
        AuthenticationError,
        "Activate the key in the vendor's web account, or put another one into the password of the connection; then "
        "clear the Airflow task.",
    ),
    HttpError(401, "API Key has expired", "expired_key", AuthenticationError, _NEW_KEY),
    _unlisted(401, AuthenticationError, _NEW_KEY),
    HttpError(
        402,
        "Insufficient credits",
        "insufficient_credits",
        InsufficientCreditsError,
        _TOP_UP,
        figures=("required", "available"),
    ),
    _unlisted(402, InsufficientCreditsError, _TOP_UP),
    HttpError(403, "API access not enabled", "no_api_access", ApiAccessDisabledError, _NO_ACCESS),
    HttpError(403, "Access denied", "access_denied", TaskAccessDeniedError, _OTHER_ACCOUNT),
    _unlisted(403, ForbiddenError, "Ask the vendor what this account may do, then clear the Airflow task."),
    HttpError(404, "Task not found", "task_not_found", TaskNotFoundError, _OTHER_ACCOUNT),
    _unlisted(404, TaskNotFoundError, "Is the host of the connection the full base URL, path included?"),
    HttpError(
        429,
        "Concurrency limit reached",
        "concurrency_limit",
        ConcurrencyLimitError,
        "Nothing: a slot becomes free. If it happens often, use a pool with include_deferred, as large as the limit.",
        figures=("limit", "current"),
    ),
    HttpError(429, "", "rate_limited", RateLimitedError, _WAIT),
    HttpError(500, "", "internal_error", InternalServerError, _WAIT),
)


@dataclass(frozen=True)
class UndocumentedRefusal:
    """
    A way to refuse that is not the API's own; mostly something in between has sent it.

    :param reason: short name, for logs, metrics and conditions.
    :param advice: what a person can do.
    """

    reason: str
    advice: str


#: Any 3xx.
REDIRECTED = UndocumentedRefusal(
    "redirected",
    "Check the host of the connection: a login page, or plain http where https is needed, redirects, too. If the API "
    "has moved, put its new address there; then clear the Airflow task.",
)
#: A 4xx with an HTML page.
WEB_PAGE = UndocumentedRefusal(
    "web_page",
    "Check the host of the connection, and whether a firewall, a proxy or the vendor's gateway blocks this machine; "
    "then clear the Airflow task.",
)
#: Any other 4xx but 408.
UNDOCUMENTED_REFUSAL = UndocumentedRefusal(
    "undocumented_refusal",
    "Look at what the answer says, and change the inputs or the connection; then clear the Airflow task.",
)


def is_refusal(status: int) -> bool:
    """
    Return whether a status says that nothing was accepted, whatever else an answer holds.

    408 does not: who sends it has waited for a request, and can't know how much of it was handled.

    :param status: HTTP status.
    """
    return 300 <= status < 500 and status != 408


def classify_http_error(status: int, message: str) -> HttpError | None:
    """
    Return the entry that an answer stands for, or ``None`` if the status is not documented.

    :param status: HTTP status.
    :param message: the API's text.
    """
    folded = message.strip().casefold()
    return next(
        (known for known in HTTP_ERRORS if known.status == status and folded.startswith(known.prefix.casefold())),
        None,
    )
