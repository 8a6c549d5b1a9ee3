"""``airflow seedance pool``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from airflow.utils.cli import action_cli

if TYPE_CHECKING:
    from argparse import Namespace

__all__ = ["set_pool"]


@action_cli  # type: ignore[untyped-decorator]
def set_pool(arguments: Namespace) -> None:
    """
    Make a pool as large as the account's limit, or resize it. It costs nothing.

    It counts deferred tasks: a task that waits for its video uses no worker, but one of the account's slots.

    :param arguments: ``slots``, ``name`` and ``conn_id``.
    """
    from airflow.api.client import get_current_api_client

    client = get_current_api_client()
    before = {name: slots for name, slots, *_ in client.get_pools()}.get(arguments.name)
    client.create_pool(
        name=arguments.name,
        slots=arguments.slots,
        description=f"Seedance videos in progress on {arguments.conn_id}",
        include_deferred=True,
    )
    was = "is new" if before is None else f"had {before} slots"
    sys.stdout.write(
        f"Pool {arguments.name!r} {was}, and has {arguments.slots} slots now, which count deferred tasks, too. Give "
        f"its name to every task that makes videos on {arguments.conn_id!r}: "
        f"CreateVideoOperator(..., pool={arguments.name!r})\n"
    )
