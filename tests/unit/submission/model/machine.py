"""The model: a task instance, an API and a person, interleaved at random, and what must hold after every step."""

from __future__ import annotations

import json
import logging
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from seedance_provider.api.errors import SeedanceError
from seedance_provider.api.video_request import VideoRequest
from seedance_provider.api.video_task import TaskStatus, VideoTask
from seedance_provider.submission.options import OnRerun, OnUnknownSubmission
from seedance_provider.submission.plans import Action, Plan
from seedance_provider.submission.record import SubmissionState
from seedance_provider.submission.retries import retry_until
from seedance_provider.submission.store import SubmissionStore
from seedance_provider.submission.submitter import Submitter
from seedance_provider.submission.task_state import SubmissionStoreError
from seedance_provider.waiting.poll_settings import PollSettings
from seedance_provider.waiting.result import WaitResult
from seedance_provider.waiting.video_wait import VideoWait
from tests.unit.submission.model.account import REFUSALS, Account, Creation, Ending, Job, Reading
from tests.unit.submission.model.ledger import Ledger, Settings
from tests.unit.submission.model.process import Crash, Fault, FaultyClient, FaultyStore, Process
from tests.unit.submission.model.task_instance import State, TaskInstance

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["SubmissionMachine"]

_FAULTS = st.just({}) | st.dictionaries(st.integers(0, 5), st.sampled_from(Fault), min_size=1, max_size=2)
#: Airflow does not always hear how a process ended: the worker may die first.
_HEARD = st.sampled_from([True, True, False])
_CREATIONS = st.sampled_from([*[Creation.ACCEPTED] * 4, *Creation])
_READINGS = st.sampled_from([*[Reading.ANSWERED] * 3, *Reading])
#: What the jobs have come to when a process starts.
_MEANWHILE = st.sampled_from([None, None, Ending.SUCCESS, Ending.SUCCESS, Ending.FAIL_UNLISTED, *Ending])
#: Whose key the connection holds when a process starts.
_KEYS = st.sampled_from(["ours", "ours", "ours", "ours", "theirs"])
_SETTINGS = st.builds(
    Settings,
    fingerprint=st.sampled_from(["a kite", "a kite", "a kite", "a boat"]),
    on_rerun=st.sampled_from(OnRerun),
    on_unknown=st.sampled_from(OnUnknownSubmission),
    wait_for_completion=st.booleans(),
)
_COMFORT = ("has submitted nothing", "Nothing was submitted", "othing was charged")


class Meddling(StrEnum):
    """What else a person can do at any time."""

    EDIT = "edit the DAG"
    MARK_SUCCESS = "mark success"
    MARK_FAILED = "mark failed"
    DELETE_RECORD = "delete the record"


class _Listener(logging.Handler):
    """What is logged can be read by a person, whatever happens next."""

    def __init__(self, hear: Callable[[str], None]) -> None:
        super().__init__()
        self._hear = hear

    def emit(self, record: logging.LogRecord) -> None:
        self._hear(record.getMessage())


class SubmissionMachine(RuleBasedStateMachine):
    """One task instance, whose tries may never pay twice."""

    submitter_class: ClassVar[type[Submitter]] = Submitter
    store_class: ClassVar[type[SubmissionStore]] = SubmissionStore

    def __init__(self) -> None:
        super().__init__()
        self.ti = TaskInstance()
        self.account = Account()
        self.settings = Settings()
        self.ledger = Ledger()
        self.values: dict[str, str] = {}
        self.abandoned = False
        self.violations: list[str] = []
        self.log = logging.Logger("the task")
        self.log.addHandler(_Listener(self.ledger.on_said))

    # What Airflow does

    @precondition(lambda self: self.ti.state in (State.SCHEDULED, State.WAITING_FOR_SLOT))
    @rule(meanwhile=_MEANWHILE, key=_KEYS, creation=_CREATIONS, reading=_READINGS, faults=_FAULTS, heard=_HEARD)
    def work(
        self,
        meanwhile: Ending | None,
        key: str,
        creation: Creation,
        reading: Reading,
        faults: Mapping[int, Fault],
        heard: bool,
    ) -> None:
        """A process runs ``execute``, or ``resume_after_slot``."""
        self.account.go_on(meanwhile, key)
        self.ti.start()
        process = Process(faults)
        client = FaultyClient(process, self.account, creation, reading, self._on_request, self._on_accepted)
        before, jobs = self._record, len(self.account.jobs)
        result = self._run(process, lambda submitter: self._obtain(submitter, client), heard)
        if result is not None and not process.harmed:
            self._check_outcome(result, before, client)
        if (
            isinstance(result, Plan)
            and len(self.account.jobs) > jobs
            and any(said in result.message for said in _COMFORT)
        ):
            self.violations.append(f"A job was accepted, and the task says: {result.message}")

    @precondition(lambda self: self.ti.state is State.WAITING_FOR_VIDEO)
    @rule(
        meanwhile=_MEANWHILE,
        key=_KEYS,
        reading=_READINGS,
        error_tolerance=st.sampled_from([10.0, 1000.0]),
        faults=_FAULTS,
        heard=_HEARD,
    )
    def resume(
        self,
        meanwhile: Ending | None,
        key: str,
        reading: Reading,
        error_tolerance: float,
        faults: Mapping[int, Fault],
        heard: bool,
    ) -> None:
        """The wait of the trigger ends, and another process runs ``execute_complete``."""
        self.account.go_on(meanwhile, key)
        event = json.dumps(self._waited(reading, error_tolerance).to_event())
        result = WaitResult.from_event(json.loads(event))
        self._run(Process(faults), lambda submitter: self._conclude(submitter, result), heard)

    @precondition(lambda self: self.ti.state is State.WAITING_FOR_SLOT)
    @rule()
    def no_slot_in_time(self) -> None:
        self.ti.fail_try()

    # What a person does

    @precondition(lambda self: self.ti.try_number)
    @rule()
    def clear(self) -> None:
        self.ti.clear()
        self.abandoned = False
        for entry in self.ledger.entries.values():
            entry.on_clear()

    @initialize(settings=_SETTINGS)
    def write(self, settings: Settings) -> None:
        self.settings = settings

    # One rule for all this, because hypothesis draws every rule equally often, and tries shall be more frequent.
    @rule(act=st.sampled_from([*[Meddling.EDIT] * 2, *Meddling]), settings=_SETTINGS, retries=st.integers(0, 3))
    def meddle(self, act: Meddling, settings: Settings, retries: int) -> None:
        match act:
            case Meddling.EDIT:
                self.settings, self.ti.retries = settings, retries
            case Meddling.MARK_SUCCESS:
                self.ti.state = State.SUCCESS
            case Meddling.MARK_FAILED:
                self.ti.state = State.FAILED
            case Meddling.DELETE_RECORD:
                self._delete_record()

    # What must hold

    @invariant()
    def nothing_was_sent_that_nobody_agreed_to(self) -> None:
        assert not self.violations, self.violations

    @invariant()
    def at_most_one_job_is_charged(self) -> None:
        assert len(self.ledger.standing) <= 1, self.ledger.standing

    @invariant()
    def at_most_one_job_is_alive(self) -> None:
        assert sum(entry.job.alive for entry in self.ledger.standing) <= 1, self.ledger.standing

    @invariant()
    def nothing_is_lost(self) -> None:
        for entry in self.ledger.entries.values():
            if entry.job.charged and not entry.disowned:
                assert self.ledger.is_findable(entry, self._record), entry

    @invariant()
    def the_record_names_no_job_that_is_none(self) -> None:
        record = self._record
        if record is not None and record["state"] == SubmissionState.SUBMITTED:
            assert record["video_task_id"] in self.account.jobs, record

    # How it is done

    @property
    def _record(self) -> dict[str, Any] | None:
        """What the store holds, but for the time, so that no verdict depends on the clock."""
        if not self.values:
            return None
        record = json.loads(next(iter(self.values.values())))
        del record["submitted_at"]
        # A matter of metrics and budgets, which may be noted by any look at a failed video.
        del record["counted"], record["refunded"]
        return record

    def _delete_record(self) -> None:
        self.values.clear()
        self.abandoned = False
        for entry in self.ledger.entries.values():
            entry.given_up = entry.disowned = True

    def _run(
        self, process: Process, act: Callable[[Submitter], VideoTask | Plan], heard: bool
    ) -> VideoTask | Plan | None:
        """Let a process do something, and let Airflow go on from there; ``None`` if the process did not live."""
        before = self._record
        agreed = [entry for entry in self.ledger.standing if entry.may_be_given_up(self.settings, self.account)]
        try:
            result = act(self._submitter(process))
        except (Crash, SubmissionStoreError):
            result = None
        for entry in agreed:
            record = self._record
            if record != before and (record is None or record["video_task_id"] != entry.job.video_task_id):
                entry.given_up = True
        if isinstance(result, Plan) and result.action is Action.ABANDON and self._record and not process.harmed:
            self.abandoned = True
        self._report(result if heard else None)
        return result

    def _report(self, result: VideoTask | Plan | None) -> None:
        """Airflow hears how a process ended; ``None`` if it only finds it dead."""
        match result:
            case None:
                self.ti.fail_try()
            case Plan(Action.WAIT_FOR_SLOT | Action.WAIT_FOR_API):
                self.ti.state = State.WAITING_FOR_SLOT
            case Plan(action):
                self.ledger.on_said(result.message)
                if action is Action.RETRY:
                    self.ti.fail_try()
                else:
                    self.ti.state = State.FAILED
            case VideoTask() if self._is_result(result):
                self.ti.state = State.SUCCESS
            case VideoTask(video_task_id):
                self.ti.state = State.WAITING_FOR_VIDEO
                self.ti.video_task_id = video_task_id

    def _submitter(self, process: Process) -> Submitter:
        store = self.store_class(FaultyStore(process, self.values, self.ledger.on_recorded))
        now = [0.0]
        return self.submitter_class(
            store,
            self.ti.max_tries,
            self.log,
            self.settings.on_rerun,
            self.settings.on_unknown,
            retry_until=partial(
                retry_until, clock=lambda: now[0], sleep=lambda seconds: now.append(now.pop() + seconds)
            ),
        )

    def _obtain(self, submitter: Submitter, client: FaultyClient) -> VideoTask | Plan:
        fingerprint = self.settings.fingerprint
        obtained = submitter.obtain(client, VideoRequest(prompt=fingerprint), fingerprint)
        if isinstance(obtained, VideoTask):
            self.ledger.entries[obtained.video_task_id].on_used()
            if (record := self._record) is None or record["video_task_id"] != obtained.video_task_id:
                self.violations.append(f"{obtained.video_task_id} is used, and the record says {record}")
            if self._is_result(obtained):
                submitter.delivered()
        return obtained

    def _conclude(self, submitter: Submitter, result: WaitResult) -> VideoTask | Plan:
        concluded = submitter.conclude(result)
        if isinstance(concluded, VideoTask):
            submitter.delivered()
        return concluded

    def _is_result(self, task: VideoTask) -> bool:
        """Whether the task ends with it."""
        finished = task.status is TaskStatus.SUCCESS and task.video_url is not None
        return finished or not self.settings.wait_for_completion

    def _waited(self, reading: Reading, error_tolerance: float) -> WaitResult:
        """Wait, as the trigger does, with a clock that jumps."""
        video_task_id = self.ti.video_task_id
        wait = VideoWait(video_task_id, 0.0, 100.0, PollSettings(error_tolerance=error_tolerance), jitter=lambda: 0.5)
        for now in (0.0, 50.0, 100.0):
            try:
                step = wait.on_task(self.account.read(video_task_id, reading), now)
            except SeedanceError as error:
                step = wait.on_error(error, now)
            if isinstance(step, WaitResult):
                return step
        raise AssertionError("A wait went on after its deadline.")

    def _on_request(self) -> None:
        """A request for a video leaves: the one moment at which money can be lost."""
        if self.abandoned:
            self.violations.append("A request was sent after the task had ended for good.")
        for entry in self.ledger.standing:
            if not entry.may_be_given_up(self.settings, self.account):
                self.violations.append(f"A request was sent beside {entry}")

    def _on_accepted(self, job: Job) -> None:
        for entry in self.ledger.standing:
            entry.given_up = entry.may_be_given_up(self.settings, self.account)
        self.ledger.on_accepted(job)

    def _check_outcome(self, result: VideoTask | Plan, before: dict[str, Any] | None, client: FaultyClient) -> None:
        """Compare with what must come of a process that was left in peace."""
        if client.requests and client.creation in REFUSALS and self._record != before:
            self.violations.append(f"A refusal has turned the record {before} into {self._record}")
        unknown = (
            before is not None
            and before["state"] == SubmissionState.SUBMITTING
            and before["fingerprint"] == self.settings.fingerprint
            and self.settings.on_unknown is OnUnknownSubmission.FAIL
        )
        if unknown and not (isinstance(result, Plan) and result.action is Action.ABANDON and not client.requests):
            self.violations.append(f"After {before}, a try did not say that the outcome is unknown, but {result}")
