"""
``python -m tools.record_release``: a real Airflow gets tasks of this release into every situation that an upgrade can
find one in, and what the release has left in the database is written to ``tests/upgrade/{version}``.

Done once for each release, before it is published: from then on the tests of all later ones read it. The emulator
stands in for the API and nothing is paid. It takes about two minutes.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seedance_provider import __version__
from seedance_provider.emulator.settings import DEFAULT_KEY
from tools.airflow_stack import AirflowStack
from tools.emulator_process import EmulatorProcess
from tools.record_release.situation import Situation
from tools.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_HERE = Path(__file__).parent
_RECORDINGS = _HERE.parents[1] / "tests" / "upgrade"
_DAG = _HERE / "dags" / "release.py"
_TIMEOUT = 150

Row = dict[str, Any]


def _is(state: str) -> Callable[[Row], bool]:
    return lambda row: row["state"] == state


def _is_asking(row: Row) -> bool:
    return bool(row["state_store"].get("seedance_submission", {}).get("state") == "submitting")


def _has_event(row: Row) -> bool:
    return row["state"] == "scheduled" and row["next_method"] is not None


#: The situations that come by themselves: by the task that gets there, when it has.
_FIRST: dict[str, Callable[[Row], bool]] = {
    "waits_for_video": _is("deferred"),
    "waits_with_file": _is("deferred"),
    "waits_in_taskflow": _is("deferred"),
    "waits_for_submitted": _is("deferred"),
    "waits_for_slot": _is("deferred"),
    "waits_for_api": _is("deferred"),
    "submitted_only": _is("success"),
    "is_submitting": _is_asking,
    "has_failed": _is("failed"),
    "tries_again": _is("up_for_retry"),
    "has_delivered": _is("success"),
    "has_landed": _is("success"),
    "has_uploaded": _is("success"),
}
#: Those of tasks whose trigger has fired, and which no worker has taken up again because there is none.
_RESUMED: dict[str, Callable[[Row], bool]] = {
    "waits_for_video": _has_event,
    "waits_for_submitted": _has_event,
    "waits_for_slot": _has_event,
    "waits_for_api": _has_event,
}


@dataclass
class _Recorder:
    """What was seen so far, by the name of the situation."""

    airflow: AirflowStack
    run_id: str
    rows: dict[str, Row] = field(default_factory=dict)
    recorded_at: dict[str, float] = field(default_factory=dict)

    def record(self, wanted: dict[str, Callable[[Row], bool]], name: str) -> None:
        """
        Wait until tasks are in the situations.

        :param wanted: by task, whether it is.
        :param name: of the situation, with the name of the task in it.
        """
        left = dict(wanted)

        def nothing_left() -> bool:
            self.airflow.check()
            for row in self._read():
                task_id = row["task_id"]
                if task_id in left and left[task_id](row):
                    self.rows[name.format(task_id)] = row
                    self.recorded_at[name.format(task_id)] = time.time()
                    del left[task_id]
                    print(f"recorded {name.format(task_id)}", flush=True)
            return not left

        wait_until(nothing_left, timeout=_TIMEOUT, what=lambda: ", ".join(left))

    def video_tasks(self) -> dict[str, str]:
        """Return the ids of the video tasks, and a placeholder for each."""
        ids = {
            row["task_id"]: row["state_store"].get("seedance_submission", {}).get("video_task_id")
            for row in self._read()
        }
        return {video: f"<video of {task_id}>" for task_id, video in ids.items() if video}

    def _read(self) -> list[Row]:
        rows: list[Row] = json.loads(self.airflow.python(str(_HERE / "rows.py"), "read", _DAG.stem, self.run_id))
        return rows


def main(arguments: Sequence[str] | None = None) -> None:
    """Record this release."""
    parser = argparse.ArgumentParser(prog="python -m tools.record_release", description=__doc__)
    parser.add_argument("--output", type=Path, default=_RECORDINGS, help="the folder of all releases")
    folder: Path = parser.parse_args(arguments).output / __version__
    with tempfile.TemporaryDirectory(prefix="release-") as temporary:
        _record(Path(temporary), folder)
    print(f"{len([*folder.glob('*.json')])} situations of {__version__} are in {folder}", flush=True)


def _record(temporary: Path, folder: Path) -> None:
    with ExitStack() as exits:
        emulators = {
            name: exits.enter_context(EmulatorProcess(temporary / name, generation_seconds=seconds, options=options))
            for name, seconds, options in (
                ("seedance_default", 2, ()),
                ("slow", 75, ()),
                ("small", 60, ("--concurrency-limit", "1")),
            )
        }
        late = {"fault": "timeout_before", "on": "createTask", "seconds": 600, "prompt": "A letter is posted"}
        down = {"fault": "internal_error", "on": "createTask", "prompt": "A message in a bottle"}
        emulators["seedance_default"].set_faults([late, down])
        images, videos, dags = (temporary / name for name in ("images", "videos", "dags"))
        for made in (images, videos, dags):
            made.mkdir()
        _draw(images / "navy.png")
        shutil.copy(_DAG, dags / _DAG.name)
        env = {f"AIRFLOW_CONN_{name.upper()}": running.connection for name, running in emulators.items()}
        env |= {"SEEDANCE_IMAGE_FOLDER": images.as_uri(), "SEEDANCE_VIDEO_FOLDER": videos.as_uri()}
        env |= {"AIRFLOW__CORE__PARALLELISM": "8"}
        airflow = exits.enter_context(AirflowStack(temporary / "airflow", dags, env=env))
        recorder = _Recorder(airflow, airflow.start_run(_DAG.stem))
        recorder.record(_FIRST, "{}")
        airflow.call("PATCH", "/pools/default_pool", json={"slots": 0}, params={"update_mask": "slots"})
        recorder.record(_RESUMED, "{}_resumes")
        placeholders = recorder.video_tasks() | {recorder.run_id: "<run>", DEFAULT_KEY: "<key>"}
        placeholders |= {running.base_url.partition("/api/")[0]: f"<{name}>" for name, running in emulators.items()}
        placeholders |= {images.as_uri(): "<images>", videos.as_uri(): "<videos>", str(videos): "<videos>"}
        _write(recorder, placeholders, folder)


def _write(recorder: _Recorder, placeholders: dict[str, str], folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copy(_DAG, folder / "dag.py")
    for name, row in recorder.rows.items():
        # Airflow keeps the addresses of its buttons there, too, and makes them again.
        xcoms = {key: value for key, value in row["xcoms"].items() if not key.startswith("_link_")}
        kept = row | {"xcoms": xcoms}
        situation = Situation(__version__, version("apache-airflow"), recorder.recorded_at[name], kept)
        situation.write(folder / f"{name}.json", placeholders)


def _draw(file: Path) -> None:
    from PIL import Image

    Image.new("RGB", (640, 480), "navy").save(file)


if __name__ == "__main__":
    main()
