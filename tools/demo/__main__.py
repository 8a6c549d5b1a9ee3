"""
``python -m tools.demo``: a real Airflow runs ``dags/seedance_text_to_video.py``, from the prompt to the stored MP4.

By default the emulator stands in for the API and nothing is paid. ``--live`` uses the real API.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from seedance_provider.api.video_request import VideoRequest
from tools.airflow_stack import AirflowStack
from tools.demo.accounts import DemoFailedError, EmulatedAccount, LiveAccount
from tools.demo.progress import Progress
from tools.demo.result import Result, VideoFile
from tools.emulator_process import EmulatorProcess
from tools.interrupts import signals_interrupt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tools.demo.accounts import Account

_DAG_ID = "seedance_text_to_video"
#: What the DAG asks for; the prompt does not matter here.
_REQUEST = VideoRequest(prompt="any", resolution="1280x720", duration=5)
_GENERATION_SECONDS = 6

_REPOSITORY = Path(__file__).parents[2]
_RUNS_KEPT = 10

_UI_STAYS = "stays up until you press Ctrl-C"
_UI_STOPS = "stops now; in a terminal it would stay up until you press Ctrl-C"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.demo", description=__doc__)
    parser.add_argument("--live", action="store_true", help="use the real API, which costs credits")
    live = parser.parse_args(arguments).live
    try:
        with signals_interrupt(), ExitStack() as exits:
            _demonstrate(exits, live=live)
    except (DemoFailedError, RuntimeError, TimeoutError) as error:
        print(f"demo: failed: {error}", flush=True)
        return 1
    except KeyboardInterrupt:
        print("demo: interrupted, everything is stopped", flush=True)
        return 130
    return 0


def _demonstrate(exits: ExitStack, *, live: bool) -> None:
    """Do it all; whatever is started is stopped when ``exits`` is left."""
    agreed = _live_account() if live else None
    folder = _new_run_folder()
    account = agreed or _emulated_account(exits, folder)
    progress = Progress()
    progress.say("starting Airflow")
    airflow = exits.enter_context(_airflow(folder, account))
    progress.say(f"Airflow is up: {airflow.base_url}")
    run_id = _run(airflow, account, progress)
    result = _result(airflow, account, run_id)
    _report(result, airflow.base_url, run_id)
    if sys.stdout.isatty():
        with suppress(KeyboardInterrupt):
            signal.pause()


def _new_run_folder() -> Path:
    parent = _REPOSITORY / ".run"
    for old in sorted(parent.glob("demo-*"))[: -_RUNS_KEPT + 1]:
        shutil.rmtree(old, ignore_errors=True)
    folder = parent / f"{time.strftime('demo-%Y%m%d-%H%M%S')}-{os.getpid()}"
    folder.mkdir(parents=True)
    return folder


def _live_account() -> Account:
    account = LiveAccount()
    account.confirm_cost(_REQUEST)
    return account


def _emulated_account(exits: ExitStack, folder: Path) -> Account:
    print("This demo uses the emulator on this machine. No API key is needed, and no credits are spent.", flush=True)
    emulator = EmulatorProcess(folder / "emulator", generation_seconds=_GENERATION_SECONDS)
    return EmulatedAccount(exits.enter_context(emulator))


def _airflow(folder: Path, account: Account) -> AirflowStack:
    env = {
        "AIRFLOW_CONN_SEEDANCE_DEFAULT": account.connection,
        "SEEDANCE_VIDEO_FOLDER": (folder / "videos").as_uri(),
    }
    return AirflowStack(folder / "airflow", _REPOSITORY / "dags", env=env)


def _run(airflow: AirflowStack, account: Account, progress: Progress) -> str:
    airflow.wait_for_dag(_DAG_ID)
    # The DAG has a schedule, so that unpausing it would also start the run that is due: one that nobody waits for,
    # but that is paid for. A run with the date of that one takes its place.
    run_id = airflow.trigger(_DAG_ID, logical_date=airflow.next_logical_date(_DAG_ID))
    airflow.unpause(_DAG_ID)
    progress.say(f"DAG {_DAG_ID} runs as {run_id}")
    try:
        run = airflow.wait_for_run(_DAG_ID, run_id, timeout=account.run_seconds, on_change=progress.say_change)
    except TimeoutError:
        _print_logs(airflow, run_id)
        raise
    finally:
        # At midnight the schedule would start, and pay for, another one.
        airflow.pause(_DAG_ID)
    if run["state"] != "success":
        _print_logs(airflow, run_id)
        raise DemoFailedError(f"The run of the DAG ended as {run['state']}.")
    return run_id


def _print_logs(airflow: AirflowStack, run_id: str) -> None:
    """Print the last log of every task that was started and has not succeeded."""
    for task in airflow.task_instances(_DAG_ID, run_id):
        if task["state"] != "success" and task["try_number"]:
            print(f"--- log of {task['task_id']}, try {task['try_number']} ({task['state']})")
            print(airflow.task_log(_DAG_ID, run_id, task["task_id"], try_number=task["try_number"]), flush=True)


def _result(airflow: AirflowStack, account: Account, run_id: str) -> Result:
    stored_at = airflow.xcom(_DAG_ID, run_id, "upload")
    result = Result(
        request=_REQUEST,
        reported=airflow.xcom(_DAG_ID, run_id, "create"),
        file=VideoFile.read(Path(unquote(urlsplit(stored_at).path))),
        receipt=account.receipt(airflow, _DAG_ID, run_id),
    )
    if problems := result.problems():
        raise DemoFailedError(f"{'; '.join(problems)} ({result})")
    return result


def _report(result: Result, base_url: str, run_id: str) -> None:
    print(f"video    {result.file.path}")
    print(f"         {result.file}")
    print(f"credits  {result.receipt.credits:g}")
    print(f"UI       {base_url}/dags/{_DAG_ID}/runs/{run_id}")
    print(f"         {base_url}/plugin/videos plays the video")
    print(f"         {_UI_STAYS if sys.stdout.isatty() else _UI_STOPS}")
    print(f"demo: ok {result}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
