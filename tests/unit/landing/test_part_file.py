"""A file that nobody sees until it is complete."""

from __future__ import annotations

import errno
import os
import stat

import pytest

from seedance_provider.landing import part_file
from seedance_provider.landing.part_file import PartFile


@pytest.fixture(params=["nameless", "hidden"])
def kind(request, monkeypatch):
    """Both kinds: that of Linux, and that of file systems that can't do it."""
    if request.param == "hidden":
        monkeypatch.setattr(part_file, "_UNNAMED", None)
    return request.param


@pytest.fixture
def final(tmp_path):
    return tmp_path / "a.mp4"


@pytest.fixture
def umask():
    before = os.umask(0o022)
    yield os.umask
    os.umask(before)


@pytest.mark.usefixtures("kind")
class TestPartFile:
    @pytest.mark.parametrize("replace", [False, True])
    def test_has_its_name_when_it_is_published_and_no_other(self, kind, final, replace):
        with PartFile(final.parent) as part:
            part.file.write(b"a video")
            part.file.flush()
            assert not final.exists()
            assert len(os.listdir(final.parent)) == (kind == "hidden")
            part.publish(final, replace=replace)
            assert final.read_bytes() == b"a video"
        assert os.listdir(final.parent) == ["a.mp4"]

    def test_what_was_not_published_is_gone(self, final):
        with PartFile(final.parent) as part:
            part.file.write(b"half a vid")
        assert os.listdir(final.parent) == []
        with pytest.raises(ZeroDivisionError), PartFile(final.parent) as part:
            part.file.write(b"%d" % (1 // 0))
        assert os.listdir(final.parent) == []

    def test_replaces_another_file_on_demand_only(self, final):
        final.write_bytes(b"old")
        with final.open("rb") as reader, PartFile(final.parent) as part:
            part.file.write(b"new")
            with pytest.raises(FileExistsError):
                part.publish(final, replace=False)
            assert final.read_bytes() == b"old"
            part.publish(final, replace=True)
            # Who reads the old one reads it to its end.
            assert reader.read() == b"old"
        assert final.read_bytes() == b"new"
        assert os.listdir(final.parent) == ["a.mp4"]

    def test_a_folder_of_that_name_stays(self, final):
        final.mkdir()
        with PartFile(final.parent) as part:
            part.file.write(b"new")
            with pytest.raises(IsADirectoryError):
                part.publish(final, replace=True)
        assert os.listdir(final.parent) == ["a.mp4"]
        assert final.is_dir()

    def test_is_on_the_disk_before_it_has_its_name_and_the_name_after(self, final, monkeypatch):
        synced = []

        def sync(descriptor):
            synced.append((os.path.isdir(f"/proc/self/fd/{descriptor}"), final.exists()))

        monkeypatch.setattr(os, "fsync", sync)
        with PartFile(final.parent) as part:
            part.publish(final, replace=False)
        assert synced == [(False, False), (True, True)]

    def test_a_disk_that_fails_at_the_end_leaves_nothing(self, final, monkeypatch):
        def failing(descriptor):
            raise OSError(errno.EIO, "Input/output error")

        monkeypatch.setattr(os, "fsync", failing)
        with PartFile(final.parent) as part, pytest.raises(OSError, match="Input/output error"):
            part.publish(final, replace=False)
        assert os.listdir(final.parent) == []

    def test_a_disk_that_is_full_when_it_is_closed_has_told_so_before(self, final):
        with PartFile(final.parent) as part:
            part.file.close()
            part.file = open("/dev/full", "wb")  # noqa: SIM115 - the part file closes it
            part.file.write(b"half a vid")
        assert os.listdir(final.parent) == []

    @pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o027, 0o640), (0o077, 0o600), (0o002, 0o664)])
    @pytest.mark.parametrize("replace", [False, True])
    def test_has_the_permissions_of_any_new_file(self, final, umask, mask, mode, replace):
        umask(mask)
        with PartFile(final.parent) as part:
            part.publish(final, replace=replace)
        assert stat.S_IMODE(final.stat().st_mode) == mode

    def test_others_can_read_what_was_flushed(self, final):
        with PartFile(final.parent) as part:
            part.file.write(b"a video")
            part.file.flush()
            with open(part.path, "rb") as opened:
                assert opened.read() == b"a video"
            assert part.piece(2, 3) == b"vid"
            assert part.piece(5, 100) == b"eo"


class TestWithoutAName:
    @pytest.fixture
    def refused_without_a_name(self, monkeypatch):
        """A file system that makes files with a name only."""

        def refusing(number: int) -> None:
            opened = os.open

            def refused(path, flags, *args, **kwargs):
                if flags & part_file._UNNAMED == part_file._UNNAMED:
                    raise OSError(number, os.strerror(number))
                return opened(path, flags, *args, **kwargs)

            monkeypatch.setattr(os, "open", refused)

        return refusing

    @pytest.mark.parametrize("number", [errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL, errno.ENOENT])
    def test_a_file_system_that_can_not_do_it_gets_a_hidden_name(self, final, refused_without_a_name, number):
        refused_without_a_name(number)
        with PartFile(final.parent) as part:
            (name,) = os.listdir(final.parent)
            assert name.startswith(".seedance-")
            assert name.endswith(".part")
            part.file.write(b"a video")
            part.publish(final, replace=False)
        assert final.read_bytes() == b"a video"

    def test_so_does_a_system_where_nobody_could_read_it_without_one(self, final, monkeypatch):
        monkeypatch.setattr(os.path, "isdir", lambda path: path != "/proc/self/fd")
        with PartFile(final.parent) as part:
            assert os.listdir(final.parent) == [os.path.basename(part.path)]

    def test_any_other_error_is_one(self, final, refused_without_a_name):
        with pytest.raises(FileNotFoundError), PartFile(final.parent / "missing"):
            pass
        refused_without_a_name(errno.EACCES)
        with pytest.raises(PermissionError), PartFile(final.parent):
            pass


class TestWithoutHardLinks:
    @pytest.fixture(autouse=True)
    def _no_links(self, monkeypatch):
        def refused(*args, **kwargs):
            raise OSError(errno.EPERM, "Operation not permitted")

        monkeypatch.setattr(part_file, "_UNNAMED", None)
        monkeypatch.setattr(os, "link", refused)

    @pytest.mark.parametrize(("there", "replace"), [(None, False), (b"old", True)])
    def test_it_is_renamed(self, final, there, replace):
        if there:
            final.write_bytes(there)
        with PartFile(final.parent) as part:
            part.file.write(b"a video")
            part.publish(final, replace=replace)
        assert final.read_bytes() == b"a video"
        assert os.listdir(final.parent) == ["a.mp4"]

    def test_but_not_over_another_file_by_accident(self, final):
        final.write_bytes(b"old")
        with PartFile(final.parent) as part, pytest.raises(FileExistsError):
            part.publish(final, replace=False)
        assert final.read_bytes() == b"old"
        assert os.listdir(final.parent) == ["a.mp4"]
