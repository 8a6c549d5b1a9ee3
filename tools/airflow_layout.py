"""
Which processes an Airflow on this machine consists of, and the settings that let them work together.

- :data:`LOCAL`: one process of each kind, SQLite and the LocalExecutor. Needs nothing but Airflow.
- :func:`celery_layout`: two or more of those that may be more than one, PostgreSQL, Redis and the CeleryExecutor.
  Losing one of them is what such a layout is there for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["LOCAL", "Component", "Layout", "Options", "celery_layout"]

#: Settings by the section and the name they have in airflow.cfg.
Options = Mapping[str, Mapping[str, object]]


@dataclass(frozen=True)
class Component:
    """
    One process of an Airflow. It works when its job sends heartbeats or its Celery node answers; one that has neither
    is the API server.

    :param name: unique in its layout.
    :param arguments: of the command ``airflow``.
    :param job_type: of the job in the API that it sends heartbeats for.
    :param celery_node: its name among the workers of Celery.
    :param executes_tasks: whether the processes of tasks descend from it.
    """

    name: str
    arguments: tuple[str, ...]
    job_type: str | None = None
    celery_node: str | None = None
    executes_tasks: bool = False


@dataclass(frozen=True)
class Layout:
    """
    The components of an Airflow.

    :param components: in the order in which they are started.
    :param options: settings in which it differs from :class:`tools.airflow_settings.AirflowSettings`.
    :param broker_url: where the workers of Celery get their tasks from, if there are any.
    """

    components: tuple[Component, ...]
    options: Options = field(default_factory=dict)
    broker_url: str | None = None

    def __getitem__(self, name: str) -> Component:
        """Return a component by its name."""
        return next(component for component in self.components if component.name == name)

    @property
    def local_executors(self) -> list[str]:
        """The names of the schedulers that execute tasks themselves."""
        return [part.name for part in self.components if part.executes_tasks and part.job_type == "SchedulerJob"]


_API_SERVER = Component("api-server", ("api-server",))
_DAG_PROCESSOR = Component("dag-processor", ("dag-processor",), "DagProcessorJob")

LOCAL = Layout(
    (
        _API_SERVER,
        Component("scheduler", ("scheduler",), "SchedulerJob", executes_tasks=True),
        _DAG_PROCESSOR,
        Component("triggerer", ("triggerer",), "TriggererJob"),
    )
)


def celery_layout(
    database_url: str,
    broker_url: str,
    *,
    schedulers: int = 2,
    triggerers: int = 2,
    workers: int = 2,
    worker_concurrency: int = 4,
) -> Layout:
    """
    Return the layout with the CeleryExecutor: ``api-server``, ``dag-processor``, ``scheduler-1``, ``scheduler-2``,
    ``triggerer-1``, ``triggerer-2``, ``worker-1``, ``worker-2``.

    :param database_url: of an empty PostgreSQL database, as SQLAlchemy writes it.
    :param broker_url: of Redis.
    :param schedulers: how many of them.
    :param triggerers: how many of them.
    :param workers: how many of them.
    :param worker_concurrency: how many tasks each worker executes at a time.
    """
    components = (
        _API_SERVER,
        _DAG_PROCESSOR,
        *(Component(f"scheduler-{n}", ("scheduler",), "SchedulerJob") for n in _numbers(schedulers)),
        *(_triggerer(f"triggerer-{n}") for n in _numbers(triggerers)),
        *(_worker(f"worker-{n}") for n in _numbers(workers)),
    )
    # The option counts for each scheduler. Together they queue no more than the workers can begin at once, so that
    # whatever stays queued for long is stuck.
    parallelism = max(1, workers * worker_concurrency // schedulers)
    return Layout(components, _celery_options(database_url, broker_url, worker_concurrency, parallelism), broker_url)


def _numbers(count: int) -> range:
    return range(1, count + 1)


# All components write their logs into one folder, where the API server reads them: nobody needs to serve them.
def _triggerer(name: str) -> Component:
    return Component(name, ("triggerer", "--skip-serve-logs"), "TriggererJob")


def _worker(name: str) -> Component:
    # Workers that watch each other's events take time of the processor and decide nothing.
    arguments = ("celery", "worker", "--skip-serve-logs", "--without-gossip", "--without-mingle")
    return Component(name, (*arguments, "--celery-hostname", name), celery_node=f"celery@{name}", executes_tasks=True)


def _celery_options(database_url: str, broker_url: str, worker_concurrency: int, parallelism: int) -> Options:
    return {
        "core": {"executor": "CeleryExecutor", "parallelism": parallelism},
        # Before a connection is used it is tried, because the database may have been away since the last time.
        "database": {"sql_alchemy_conn": database_url, "sql_alchemy_pool_pre_ping": True},
        "scheduler": {
            # Two schedulers look five times a second at an idle database for no good.
            "scheduler_idle_sleep_time": 0.5,
            # A task is lost between the queue and a worker if the worker is killed before it has begun, or if Redis
            # is. It is put into the queue again after this time.
            "task_queued_timeout": 30,
            "task_queued_timeout_check_interval": 5,
            # After that many times Airflow fails a task without a retry: two are too few for somebody who kills
            # workers all the time.
            "num_stuck_in_queued_retries": 100,
        },
        # The DAGs come from a local folder: there are no versions of them to clean up, and no process to do it.
        "dag_processor": {"stale_bundle_cleanup_interval": 0},
        "celery": {
            "broker_url": broker_url,
            "result_backend": f"db+{database_url}",
            "worker_concurrency": worker_concurrency,
            # A worker that is killed takes nothing with it but what it was executing: it reserves no tasks beyond its
            # processes, and a task is done only when it has ended.
            "worker_prefetch_multiplier": 1,
            "task_acks_late": True,
            "sync_parallelism": 1,
            # On a busy machine the default of one second fails tasks that could have been queued.
            "operation_timeout": 10,
        },
        # Redis delivers a task again that has not ended after this time: never, since Airflow itself starts again
        # what was lost (task_queued_timeout, task_instance_heartbeat_timeout), and sooner.
        "celery_broker_transport_options": {"visibility_timeout": 24 * 60 * 60},
    }
