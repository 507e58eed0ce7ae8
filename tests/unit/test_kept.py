"""Small files of the home folder that are not what they should be."""

from __future__ import annotations

import errno
import fcntl
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from pathlib import Path

import pytest

from handson.aws.connection import lock_home
from handson.aws.settings import read_settings
from handson.core import files
from handson.core.errors import NotReady
from handson.course.state import RecordedUri, Target
from handson.resources.cleanup import list_used_regions
from handson.resources.receipts import find_unfinished, remember_region

URI = RecordedUri(uri="x", digest="y", recorded_at="2026-01-01T00:00:00+00:00")
TARGET = Target(kind="emulator", account="000000000000", region="us-east-1", endpoint=None)
STRANGE = {
    "nothing": "",
    "no JSON": "{",
    "null": "null",
    "a list": "[1, {}]",
    "of a later version": '{"schema": "handson.x/9", "new": 1}',
    "endless brackets": "[" * 100_000,
}


@pytest.mark.parametrize("text", STRANGE.values(), ids=STRANGE)
def test_a_file_that_is_none_of_ours_is_as_if_it_were_not_there(tmp_path: Path, text: str) -> None:
    path = tmp_path / "image-uri.json"
    path.write_text(text, encoding="utf-8")
    assert files.read_state(path, RecordedUri) is None
    files.write_state(path, URI)
    assert files.read_state(path, RecordedUri) == URI
    path.unlink()
    receipt = tmp_path / "receipts" / "20260101T000000Z.json"
    receipt.parent.mkdir()
    receipt.write_text(text, encoding="utf-8")
    assert find_unfinished(tmp_path, TARGET) is None
    remember_region(tmp_path, TARGET)
    [regions] = (each for each in tmp_path.iterdir() if each.is_file())
    regions.write_text(text, encoding="utf-8")
    assert list_used_regions(tmp_path, TARGET) == ("us-east-1",)


def test_a_folder_in_the_place_of_a_file_is_named(tmp_path: Path) -> None:
    def hold(path: Path) -> None:
        chosen = read_settings({"HANDSON_HOME": str(path.parent)}, cwd=path.parent)
        with lock_home(chosen, timeout=0):
            pass

    path = tmp_path / "changes.lock"
    path.mkdir()
    kept = files.KeptState(path.name, RecordedUri)
    for change in (
        lambda path: kept.write(path.parent, URI),
        lambda path: kept.forget(path.parent),
        hold,
    ):
        with pytest.raises(NotReady, match=r"changes\.lock にファイルを作れません") as refused:
            change(path)
        assert len(str(refused.value).splitlines()) == 2


def test_a_kernel_that_waits_too_long_for_another_is_told(tmp_path: Path) -> None:
    chosen = read_settings({"HANDSON_HOME": str(tmp_path)}, cwd=tmp_path)

    def wait() -> None:
        with lock_home(chosen, timeout=0.1):
            pass

    with lock_home(chosen), ThreadPoolExecutor(1) as pool:
        busy = pool.submit(wait).exception()
    assert (type(busy), len(str(busy).splitlines())) == (NotReady, 2)


def test_a_home_without_file_locks_serves_one_kernel_and_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = cycle([errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])

    def refuse(*_: object) -> None:
        raise OSError(next(answers), "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    test_a_kernel_that_waits_too_long_for_another_is_told(tmp_path)
    test_a_kernel_that_waits_too_long_for_another_is_told(tmp_path)
    told = capsys.readouterr().err
    assert (told.count("ロックできません"), told.count("HANDSON_HOME"), str(tmp_path) in told) == (
        1,
        1,
        True,
    )
