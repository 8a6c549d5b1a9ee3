"""The command line: flags become settings."""

from __future__ import annotations

import argparse
import asyncio
import logging
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from seedance_provider.emulator.faults import FAULTS, PLACES, InvalidRuleError, Rule, read_rule
from seedance_provider.emulator.generations import ErrorShape, FailedRecord, GenerationName
from seedance_provider.emulator.server import RunningEmulator, serve_until_signalled
from seedance_provider.emulator.settings import DEFAULT_KEY, Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main", "read_settings"]

_DEFAULTS = Settings()


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Run the emulator until it is told to stop.

    :param arguments: the flags; by default those of the process.
    """
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.WARNING)
    settings = read_settings(arguments)
    try:
        asyncio.run(serve_until_signalled(settings, _announce))
    except OSError as error:
        logging.error("The emulator can't start: %s", error)
        return 1
    return 0


def read_settings(arguments: Sequence[str] | None = None) -> Settings:
    """
    Return the settings that flags ask for; ends the process with a message if they are wrong.

    :param arguments: the flags; by default those of the process.
    """
    flags = vars(_parser().parse_args(arguments))
    keys = dict(flags.pop("keys") or _DEFAULTS.keys)
    for name in ("inactive_keys", "expired_keys", "no_access_keys"):
        flags[name] = frozenset(flags[name])
    seed = flags.pop("fault_seed")
    flags["faults"] = tuple(replace(rule, seed=seed) for rule in flags["faults"])
    return Settings(keys=keys, **flags)


def _announce(emulator: RunningEmulator) -> None:
    print(emulator.base_url, flush=True)  # noqa: T201 - scripts read it to learn the port


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m seedance_provider.emulator",
        description="A local Seedance API that returns real MP4 files. It prints its base URL when it is ready.",
        formatter_class=_HelpFormatter,
    )
    _add_server_flags(parser.add_argument_group("server"))
    _add_account_flags(parser.add_argument_group("accounts"))
    _add_time_flags(parser.add_argument_group("times"))
    _add_answer_flags(parser.add_argument_group("answers"))
    _add_fault_flags(parser.add_argument_group("faults"))
    return parser


class _HelpFormatter(argparse.ArgumentDefaultsHelpFormatter):
    """Tells the default of a flag, unless it has none worth telling."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        return super()._get_help_string(action) if action.default not in (None, []) else action.help


def _add_server_flags(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--host", default=_DEFAULTS.host, help="address to listen on")
    group.add_argument("--port", type=int, default=8765, help="port to listen on; 0 takes a free one")
    group.add_argument(
        "--state",
        dest="state_file",
        metavar="FILE",
        type=Path,
        help="SQLite file that keeps all tasks over a restart (default: a temporary one, removed at the end)",
    )
    group.add_argument(
        "--media-dir",
        metavar="DIR",
        type=Path,
        help="folder of the video files (default: 'media' beside the state file)",
    )


def _add_account_flags(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--key",
        dest="keys",
        metavar="KEY=CREDITS",
        type=_key_and_credits,
        action="append",
        help=f"an API key and its credits; can be repeated (default: {DEFAULT_KEY}=100000)",
    )
    for flag, what in {
        "--inactive-key": "is inactive",
        "--expired-key": "has expired",
        "--no-access-key": "belongs to an account without API access",
    }.items():
        group.add_argument(
            flag,
            dest=flag.strip("-").replace("-", "_") + "s",
            metavar="KEY",
            action="append",
            default=[],
            help=f"a key that {what}; can be repeated",
        )
    group.add_argument(
        "--concurrency-limit",
        metavar="N",
        type=int,
        default=_DEFAULTS.concurrency_limit,
        help="unfinished tasks that a key can have at a time",
    )


def _add_time_flags(group: argparse._ArgumentGroup) -> None:
    for name, what in {
        "waiting-seconds": "how long a task is waiting",
        "generation-seconds": "how long it is generating after that",
        "jitter": "how many seconds each of the two may be shorter or longer",
    }.items():
        default = getattr(_DEFAULTS, name.replace("-", "_"))
        group.add_argument(f"--{name}", metavar="SECONDS", type=_seconds, default=default, help=what)
    group.add_argument(
        "--jitter-seed", metavar="N", type=int, default=_DEFAULTS.jitter_seed, help="makes the jitter repeatable"
    )


def _add_answer_flags(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--generation",
        choices=get_args(GenerationName),
        default=_DEFAULTS.generation,
        help="which of the documented generations of the API to be: what another one spells differently is refused, "
        "and fields that it does not know are ignored",
    )
    group.add_argument(
        "--error-shape",
        choices=get_args(ErrorShape),
        help="the error of a failed task: a text as in the quickstart, or code and message as in newer pages "
        "(default: that of the generation)",
    )
    group.add_argument(
        "--failed-record",
        choices=get_args(FailedRecord),
        help="creditsUsed and completeTime of a failed task: 0 and none as in the quickstart, "
        "or the refunded amount and the time as in the newest pages (default: that of the generation)",
    )


def _add_fault_flags(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--fault",
        dest="faults",
        metavar="NAME,on=PLACE[,probability=P][,count=N][,seconds=S]",
        type=_fault,
        action="append",
        default=[],
        help=f"spoil answers of {', '.join(PLACES)}; can be repeated. NAME is one of {', '.join(FAULTS)}",
    )
    group.add_argument("--fault-seed", metavar="N", type=int, default=0, help="decides which answers are spoiled")


def _fault(text: str) -> Rule:
    name, *options = text.split(",")
    given: dict[str, Any] = {"fault": name}
    for option in options:
        key, _, value = option.partition("=")
        given[key] = value if key in ("on", "prompt") else _number(value)
    try:
        return read_rule(given, seed=0)
    except InvalidRuleError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _number(text: str) -> float | str:
    for kind in (int, float):
        with suppress(ValueError):
            return kind(text)
    return text


def _key_and_credits(text: str) -> tuple[str, float]:
    key, _, credits_text = text.rpartition("=")
    try:
        credits_given = float(credits_text)
    except ValueError:
        credits_given = -1
    if not key or not 0 <= credits_given < float("inf"):
        raise argparse.ArgumentTypeError("expected KEY=CREDITS, such as my-key=500")
    return key, credits_given


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds < float("inf"):
        raise argparse.ArgumentTypeError("expected a number of seconds, 0 or more")
    return seconds
