"""
Declares the Videos page, and the tab of the same on a DAG run.

Every component of Airflow loads its plugins, and only the API server serves pages: the application is imported when the
first request for it arrives.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.plugins_manager import AirflowPlugin

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

__all__ = ["SeedancePlugin"]


async def _application(
    scope: MutableMapping[str, Any],
    receive: Callable[[], Awaitable[Any]],
    send: Callable[[Any], Awaitable[None]],
) -> None:
    from seedance_provider.plugins.application import application

    await application(scope, receive, send)


class SeedancePlugin(AirflowPlugin):
    """The videos of all DAGs that the viewer may read, and those of one DAG run."""

    name = "seedance"
    fastapi_apps: list[dict[str, Any]] = [  # noqa: RUF012 - as Airflow declares it
        {"app": _application, "url_prefix": "/seedance", "name": "Seedance videos"}
    ]
    # Without a slash at the beginning an address is below that of the UI, wherever a proxy has put it.
    external_views: list[dict[str, Any]] = [  # noqa: RUF012 - as Airflow declares it
        {
            "name": "Videos",
            "href": "seedance/videos/",
            "destination": "nav",
            "category": "browse",
            "url_route": "videos",
        },
        {
            "name": "Videos",
            "href": "seedance/videos/?dag_id={DAG_ID}&run_id={RUN_ID}&view=run",
            "destination": "dag_run",
            "url_route": "run_videos",
        },
    ]
