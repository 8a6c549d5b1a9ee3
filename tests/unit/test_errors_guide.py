"""The guide to errors says what the tables say."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from seedance_provider.api import errors
from seedance_provider.api.errors import (
    ConnectionLostError,
    ConnectionNotEstablishedError,
    InvalidRequestError,
    UndocumentedRefusalError,
    UnexpectedResponseError,
    Verdict,
)
from seedance_provider.api.http_errors import HTTP_ERRORS, REDIRECTED, UNDOCUMENTED_REFUSAL, WEB_PAGE
from seedance_provider.api.task_failures import FAILURES, UNLISTED, UNLISTED_BY_CODE
from seedance_provider.waiting.result import Outcome

REPOSITORY = Path(__file__).parents[2]
PROVIDER = REPOSITORY / "seedance_provider"
GUIDE = (REPOSITORY / "docs" / "errors.md").read_text()

ON_CREATE = {
    Verdict.PERMANENT: "fails for good",
    Verdict.TRANSIENT: "waits for the API for up to `error_tolerance`, then the next try submits",
    Verdict.WAIT_FOR_SLOT: "waits for a slot",
    Verdict.UNKNOWN_OUTCOME: "fails for good: it is unknown whether it was paid for",
}
ON_READ = {Verdict.PERMANENT: "fails for good", Verdict.TRANSIENT: "polls again"}


def table(*rows):
    head, *body = ["| " + " | ".join(map(str, row)) + " |" for row in rows]
    return "\n".join([head, "|" + "---|" * len(rows[0]), *body])


def code(text):
    """Text as code, also if it has backticks in it."""
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def http_error(known):
    others = [entry for entry in HTTP_ERRORS if entry.status == known.status and entry is not known]
    text = code(known.prefix) if known.prefix else "any other text" if others else "any text"
    if not known.is_listed:
        text += ", reported as undocumented"
    return (
        known.status,
        text,
        code(known.reason),
        code(known.error_class.__name__),
        ON_CREATE[known.error_class.create_verdict],
        ON_READ[known.error_class.read_verdict],
        known.advice,
    )


def no_answer(error_class, what, kind=None):
    kind = kind or error_class
    return (
        what,
        code(kind.reason),
        code(error_class.__name__),
        ON_CREATE[error_class.create_verdict],
        ON_READ[error_class.read_verdict],
        kind.advice,
    )


def tries(error_class):
    if not error_class().retryable:
        return "no"
    return "yes" if error_class.resubmissions is None else "once"


def failure(known, text):
    return (text, code(known.reason), code(known.error_class.__name__), tries(known.error_class), known.advice)


def http_errors():
    head = ("status", "text begins with", "`reason`", "class", "a request for a video", "a poll", "what to do")
    return table(head, *map(http_error, HTTP_ERRORS))


def no_answers():
    head = ("what happened", "`reason`", "class", "a request for a video", "a poll", "what to do")
    return table(
        head,
        no_answer(InvalidRequestError, "the inputs or the connection can't be right; nothing was sent"),
        no_answer(ConnectionNotEstablishedError, "the API could not be reached; nothing was sent"),
        no_answer(ConnectionLostError, "the request was sent, and no complete answer came back"),
        no_answer(UndocumentedRefusalError, "a redirect (any 3xx), which is never followed", REDIRECTED),
        no_answer(
            UndocumentedRefusalError,
            "a page with a 4xx other than 408 and 429: of a firewall, a gateway or a web site",
            WEB_PAGE,
        ),
        no_answer(
            UndocumentedRefusalError, "any other 4xx but 408 that is not in the table above", UNDOCUMENTED_REFUSAL
        ),
        no_answer(
            UnexpectedResponseError,
            "any other status; a success that is empty, broken, packed, larger than 4 MiB, or without id or status",
        ),
    )


def failures():
    head = ("text begins with", "`reason`", "class", "retried", "what to do")
    return table(
        head,
        *(failure(known, code(known.prefix)) for known in FAILURES),
        *(
            failure(known, f"any other text with code {code(number)}, reported as undocumented")
            for number, known in UNLISTED_BY_CODE.items()
        ),
        failure(UNLISTED, "any other text, reported as undocumented"),
    )


def test_every_http_error():
    assert http_errors() in GUIDE


def test_every_way_to_get_no_answer():
    assert no_answers() in GUIDE


def test_every_failed_video():
    assert failures() in GUIDE


def reasons_in(path):
    """The reasons that a module gives by name, also by the name of a constant."""
    tree = ast.parse(path.read_text())
    constants, found = {}, set()
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=value)):
                constants[name] = value
    for node in ast.walk(tree):
        match node:
            case ast.keyword(arg="reason", value=ast.Constant(value=value)):
                found.add(value)
            case ast.keyword(arg="reason", value=ast.Name(id=name)):
                found.add(constants.get(name))
    # None of a record that is not abandoned, and the empty one where an error has a reason of its own.
    return {reason for reason in found if reason}


def test_every_end_that_no_answer_has_led_to():
    given = {reason for path in PROVIDER.rglob("*.py") for reason in reasons_in(path)}
    assert "unknown_outcome" in given
    # Of a video task that has finished the API says how.
    given |= {str(outcome) for outcome in Outcome if outcome is not Outcome.FINISHED}
    (ends,) = re.findall("## Ends that no answer of the API has led to\n(.*?)\n## ", GUIDE, re.DOTALL)
    assert set(re.findall(r"^\| `(\w+)` \|", ends, re.MULTILINE)) - {"reason"} == given


def test_every_reason_of_a_class_of_errors():
    # Those that are only parents are never shown.
    parents = (errors.SeedanceError, errors.ApiError, errors.VideoTaskFailedError)
    classes = [getattr(errors, name) for name in errors.__all__ if name != "Verdict"]
    for error_class in classes:
        if "reason" in vars(error_class) and error_class not in parents:
            assert f"`{error_class.reason}`" in GUIDE
