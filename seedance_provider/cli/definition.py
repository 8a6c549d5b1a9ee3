"""What the provider adds to the ``airflow`` command, on Airflow 3.2 and newer."""

from __future__ import annotations

from airflow.cli.cli_config import ActionCommand, Arg, GroupCommand, lazy_load_command, positive_int

__all__ = ["get_seedance_cli_commands"]

_SLOTS = Arg(
    ("-s", "--slots"),
    help="How many videos of the account may be in progress. The API names the limit when it is reached.",
    type=positive_int(allow_zero=False),
    required=True,
)
_NAME = Arg(("-n", "--name"), help="Name of the pool", default="seedance")
_CONN_ID = Arg(("-c", "--conn-id"), help="The account's connection, for the description", default="seedance_default")


def get_seedance_cli_commands() -> list[GroupCommand]:
    """Return ``airflow seedance ...``. Airflow calls it for every command, so nothing else is imported yet."""
    return [
        GroupCommand(
            name="seedance",
            help="Manage what Seedance videos need",
            subcommands=(
                ActionCommand(
                    name="pool",
                    help="Make or resize the pool that keeps tasks from asking for more videos than allowed",
                    func=lazy_load_command("seedance_provider.cli.pool_command.set_pool"),
                    args=(_SLOTS, _NAME, _CONN_ID),
                ),
            ),
        )
    ]
