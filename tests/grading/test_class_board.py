"""What the class board reads from learners' folders, and what it does not let them do."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from handson.board.class_folder import ClassFolder, Learner, describe_error, find_files
from handson.core import messages
from handson.course import activity
from handson.course.evidence import HAND_IN
from tests.grading import classes, making
from tests.grading.classes import BLANK, NOW, log, records, seal

Read = Callable[..., dict[str, Learner]]


class Clock:
    """Seconds that a test advances."""

    now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def read(tmp_path: Path, clock: Clock) -> Read:
    """Return the learners by name, at each call as if the time for all looks had come."""
    board = ClassFolder(tmp_path, clock=clock)

    def reader(seconds: float = 100) -> dict[str, Learner]:
        clock.now += seconds
        return {learner.name: learner for learner in board.read()}

    return reader


def minutes(learner: Learner) -> float:
    """Return since how many minutes before NOW a learner is at an error."""
    return round((NOW.timestamp() - learner.since) / 60, 1) if learner.error else 0


@pytest.mark.parametrize(
    "place",
    ["{}/.handson", "{}/workspace/.handson", "{}/workspace/ja", "{}/ps1", "{}/1/2/3/4/5/6/7/8"],
)
def test_learners_are_found_by_their_journals_at_any_depth_of_their_folders(
    tmp_path: Path, read: Read, place: str
) -> None:
    assert read() == {}
    (tmp_path / "course.toml").touch()
    (tmp_path / "lost+found").mkdir()
    for number in (1, 2):
        seal(tmp_path / place.format(f"u0{number}"), records(number)[:1])
    for hidden in ("1/2/3/4/5/6/7/8/9", ".cache/.handson", ".handson/run"):
        seal(tmp_path / "u03" / hidden, records(3)[:1])
    assert {name: it.checks[0] for name, it in read().items()} == {"u01": "passed", "u02": "passed"}


def test_a_check_stands_by_what_was_seen_and_not_by_what_a_record_says(
    tmp_path: Path, read: Read
) -> None:
    bare = making.hand_in("u02", seed=2, observe=making.no_cluster).records[:2]
    forged = [{**record, "passed": True} for record in bare]
    seal(tmp_path / "u01" / ".handson", records(1)[:3])
    seal(tmp_path / "u01" / "workspace" / "ja", records(1)[:2])
    seal(tmp_path / "u02", bare)
    seal(tmp_path / "u03", forged)
    found = read()
    assert {name: it.checks[:3] for name, it in found.items()} == {
        "u01": ("passed", "passed", "passed"),
        "u02": ("passed", "failed", "missing"),
        "u03": ("unproven", "unproven", "missing"),
    }
    assert [len(it.notes) > 0 for it in found.values()] == [False, False, True]
    assert [it.notebook for it in found.values()] == ["03-image", "02-cluster", "02-cluster"]


@pytest.mark.parametrize("ahead", [0, 600, -600])
def test_an_error_lasts_from_the_first_of_its_run_whatever_the_learners_clock(
    tmp_path: Path, read: Read, ahead: float
) -> None:
    home = tmp_path / "u01"
    log(home, (90, "01-network", BLANK), (80, "01-network", "NameError"), ahead=ahead)
    log(home, (50, "02-cluster", BLANK), (30, "02-cluster", BLANK), ahead=ahead)
    [found] = read().values()
    assert (found.notebook, minutes(found)) == ("02-cluster", 50)
    assert found.seen == (NOW - timedelta(minutes=30)).timestamp()
    assert (found.error, "{" in found.error) == (describe_error(BLANK), False)


def test_the_log_that_changed_last_counts_and_a_clock_that_was_set_back_makes_no_future(
    tmp_path: Path, read: Read
) -> None:
    log(tmp_path / "u01" / "old", (60, "01-network", "KeyError"))
    log(tmp_path / "u01" / "new", (10, "02-cluster", "NameError"))
    log(tmp_path / "u01" / "new", (4, "02-cluster", "NameError"), ahead=-30)
    [found] = read().values()
    assert (found.error, minutes(found)) == ("NameError", 4)


def test_an_error_is_over_with_a_start_another_error_or_evidence_that_passes(
    tmp_path: Path, read: Read
) -> None:
    failing = making.hand_in("u01", seed=1, observe=making.no_cluster).records[1]
    for number, more in enumerate([("", 0), ("TypeError", 0), ("NameError", 0)], start=1):
        log(tmp_path / f"u{number}", (20, "", "NameError"), (5, "", more[0]))
    for number, record in ((4, records(1)[0]), (5, failing)):
        late = (NOW - timedelta(minutes=1)).isoformat(timespec="seconds")
        log(tmp_path / f"u{number}", (20, "02-cluster", "NameError"))
        seal(tmp_path / f"u{number}", [making.resealed(record, observed_at=late)])
    assert [minutes(it) for it in read().values()] == [0, 5, 20, 0, 20]
    assert read()["u4"].notebook == "01-network"


def test_the_sound_lines_of_damaged_files_are_read(tmp_path: Path, read: Read) -> None:
    home = tmp_path / "u01"
    seal(home, records(1)[:2])
    log(home, (9, "02-cluster", "NameError"))
    with open(home / HAND_IN, "ab") as journal, open(home / activity.LOG, "ab") as lines:
        journal.write(b'{"schema":"handson.evid')
        lines.write(b"\xff\n[1]\n" + b'{"at":"2026-')
    [found] = read().values()
    assert (found.checks[:2], found.error, len(found.notes)) == (("passed",) * 2, "NameError", 1)


@pytest.mark.parametrize("depth", [900, 100_000])
def test_lines_that_are_nested_deep_hide_neither_the_sound_ones_nor_the_class(
    tmp_path: Path, read: Read, depth: int
) -> None:
    deep = b"[" * depth + b"]" * depth
    for name in ("evil", "zoe"):
        seal(tmp_path / name, records(1)[:2])
        log(tmp_path / name, (9, "02-cluster", "NameError"))
    with open(tmp_path / "evil" / HAND_IN, "ab") as journal:
        journal.write(b'{"schema":"handson.evidence/1","observed":' + deep + b"}\n" + deep + b"\n")
    with open(tmp_path / "evil" / activity.LOG, "ab") as lines:
        lines.write(b'{"at":' + deep + b"}\n" + deep + b"\n")
    evil, zoe = read().values()
    assert (evil.checks, evil.error) == (zoe.checks, zoe.error)
    assert (zoe.checks[:3], zoe.error) == (("passed", "passed", "missing"), "NameError")
    assert (len(evil.notes) > 0, zoe.notes) == (True, ())


def test_huge_files_and_links_cost_their_learner_alone(tmp_path: Path, read: Read) -> None:
    outside = tmp_path.parent / f"{tmp_path.name}-outside"
    seal(outside, records(9)[:5])
    log(outside, (5, "01-network", "NameError"))
    for name in ("file", "log", "home", "whole", "huge"):
        (tmp_path / name).mkdir()
    (tmp_path / "file" / HAND_IN).symlink_to(outside / HAND_IN)
    (tmp_path / "log" / activity.LOG).symlink_to(outside / activity.LOG)
    (tmp_path / "home" / ".handson").symlink_to(outside)
    (tmp_path / "whole" / "inner").symlink_to(outside)
    (tmp_path / "linked").symlink_to(outside)
    with open(tmp_path / "huge" / HAND_IN, "wb") as huge:
        huge.truncate(9_000_000)
    log(tmp_path / "zoe", (1, "01-network", "NameError"))
    found = read()
    assert {name: len(it.notes) for name, it in found.items()} == {
        "file": 1, "home": 1, "huge": 1, "log": 1, "zoe": 0,
    }  # fmt: skip
    assert {it.checks for it in found.values()} == {("missing",) * 5}
    assert [name for name, it in found.items() if it.error] == ["zoe"]


@pytest.fixture
def as_nobody() -> Iterator[Path]:
    """Give a folder in which this process is an ordinary user."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    if os.getuid() == 0:
        os.seteuid(0)
    shutil.rmtree(folder)


def test_a_home_that_cannot_be_read_is_told_and_is_not_an_empty_one(as_nobody: Path) -> None:
    for name in ("closed", "open", "sealed"):
        seal(as_nobody / name / ".handson", records(1)[:1])
    (as_nobody / "closed" / ".handson").chmod(0)
    (as_nobody / "sealed" / ".handson" / HAND_IN).chmod(0)
    if os.getuid() == 0:
        os.seteuid(65534)
    found = ClassFolder(as_nobody).read()
    assert [(it.name, it.checks[0], len(it.notes)) for it in found] == [
        ("closed", "missing", 1), ("open", "passed", 0), ("sealed", "missing", 1),
    ]  # fmt: skip
    assert {os.strerror(13) in it.notes[0] for it in found if it.notes} == {True}


def test_only_what_has_changed_is_read_again_and_new_homes_are_searched_for_now_and_then(
    tmp_path: Path, read: Read
) -> None:
    home = tmp_path / "u01"
    log(home, (9, "01-network", "NameError"))
    assert read()["u01"].error == "NameError"
    before = home.joinpath(activity.LOG)
    before.write_bytes(before.read_bytes().replace(b"NameError", b"TypeError"))
    os.utime(before, ((NOW - timedelta(minutes=9)).timestamp(),) * 2)
    assert read()["u01"].error == "NameError"
    log(home, (8, "02-cluster", "KeyError"))
    log(tmp_path / "u02", (8, "01-network", ""))
    assert {name: it.error for name, it in read(1).items()} == {"u01": "KeyError"}
    assert [*read(20)] == ["u01", "u02"]
    elsewhere = home.rename(tmp_path.parent / f"{tmp_path.name}-elsewhere")
    home.symlink_to(elsewhere)
    log(elsewhere, (7, "02-cluster", "ValueError"))
    linked = read(1)["u01"]
    assert (linked.error, len(linked.notes)) == ("", 1)


def test_a_folder_of_thousands_of_folders_is_not_searched_to_its_end(tmp_path: Path) -> None:
    deep = tmp_path
    for number in range(300):
        deep = deep / "d" if number < 20 else deep
        (deep / f"{number:03}").mkdir(parents=True)
    for place in (deep, tmp_path / "zoe", tmp_path / ".handson"):
        log(place, (1, "", ""))
    found = [[len(Path(it).parts) for it in find_files(str(tmp_path), most)] for most in (10, 900)]
    here = len(tmp_path.parts)
    assert found == [[here + 2], [here + 2, here + 2]]


def test_names_and_errors_of_strangers_are_plain_words_on_one_line(
    tmp_path: Path, read: Read
) -> None:
    name = "\u202eevil\n\x1b[31m" + "x" * 200
    log(tmp_path / name / ".handson", (1, "<b>", "../../etc/passwd"))
    log(tmp_path / "u02", (1, "\u202e", "drawing\u2028\x07"))
    [evil, other] = sorted(read().values(), key=lambda it: it.name == "u02")
    assert evil.name.startswith("\ufffdevil\ufffd\ufffd[31m")
    assert (len(evil.name) <= 121, evil.error) == (True, "../../etc/passwd")
    assert (other.error, other.notebook, evil.notebook) == ("drawing\ufffd\ufffd", "", "")


def test_a_key_is_told_as_its_problem_without_values_and_another_name_as_it_is() -> None:
    told: dict[str, Any] = {
        language: [messages.use(language), describe_error(BLANK)][1] for language in ("ja", "en")
    }
    assert told["ja"] != told["en"]
    assert [("…" in each, "{" in each) for each in told.values()] == [(True, False)] * 2
    for name in ("NameError", "InvalidVpc.Range", "nothing.here", "/etc.passwd", "course"):
        assert describe_error(name) == name


def test_a_class_of_forty_is_read(tmp_path: Path, read: Read) -> None:
    classes.make_class(tmp_path, 40)
    found = read()
    passed = [sum(it.checks[at] == "passed" for it in found.values()) for at in range(5)]
    stuck = {name: round(minutes(it)) for name, it in found.items() if it.error}
    assert (len(found), passed) == (40, [34, 27, 20, 13, 6])
    assert stuck == {f"u{number:02}": number for number in range(5, 41, 5)}
