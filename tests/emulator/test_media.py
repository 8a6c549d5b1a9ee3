"""A video is rendered once, however many ask for it."""

import asyncio
import threading

import pytest

from seedance_provider.emulator import media
from seedance_provider.emulator.media import MediaFolder
from seedance_provider.emulator.samples import SAMPLES

JOB = SAMPLES["demo_task_t2v_success"]


@pytest.fixture
def folder(tmp_path):
    opened = MediaFolder(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def renderings(monkeypatch):
    """Count renderings, which go on until ``go_on`` is set."""
    done, go_on = [], threading.Event()

    def render(order, task_id, path):
        go_on.wait(10)
        done.append(task_id)
        path.write_bytes(b"video")

    monkeypatch.setattr(media, "render", render)
    return done, go_on


async def test_simultaneous_requests_share_one_rendering(folder, renderings):
    done, go_on = renderings
    waiting = [asyncio.ensure_future(folder.video(JOB)) for _ in range(5)]
    await asyncio.sleep(0)
    go_on.set()
    paths = await asyncio.gather(*waiting)
    assert done == [JOB.task_id]
    assert len(set(paths)) == 1
    assert (await folder.video(JOB)).read_bytes() == b"video"
    assert done == [JOB.task_id]


async def test_a_client_that_hangs_up_does_not_stop_the_rendering(folder, renderings):
    done, go_on = renderings
    gone, patient = (asyncio.ensure_future(folder.video(JOB)) for _ in range(2))
    await asyncio.sleep(0)
    gone.cancel()
    go_on.set()
    assert (await patient).exists()
    assert done == [JOB.task_id]


async def test_a_failed_rendering_is_tried_again(folder, renderings, monkeypatch):
    _, go_on = renderings
    go_on.set()
    working = media.render
    monkeypatch.setattr(media, "render", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        await folder.video(JOB)
    monkeypatch.setattr(media, "render", working)
    assert (await folder.video(JOB)).exists()
