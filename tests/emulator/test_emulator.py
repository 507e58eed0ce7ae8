"""The embedded AWS as a process of a home folder: started, found, stopped, killed, reset."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import socket
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from io import StringIO
from pathlib import Path
from typing import Any

import psutil
import pytest
from filelock import FileLock

from handson.aws import emulator as room
from handson.aws.connection import connect_target
from handson.aws.emulator import gate, server
from handson.aws.emulator import process as processes
from handson.aws.settings import read_settings
from handson.core.errors import NotAllowed, NotReady
from handson.core.progress import TerminalProgress
from handson.core.waiting import wait_until
from handson.notebook.workshop import Workshop
from tests.emulator.leaks import leaked, leaks_in
from tests.emulator.processes import kill, killing_at_the_end, wait_gone

pytestmark = pytest.mark.emulator

ROOT = Path(__file__).parents[2]
Connect = Callable[[room.Running], Any]
Kernel = subprocess.Popen[str]

START = """
    import sys, time
    from pathlib import Path
    from handson.aws import emulator
    running = emulator.ensure_running(Path(sys.argv[1]), region="us-east-1")
    print(running.pid, running.state, flush=True)
"""


def start(home: Path, **arguments: Any) -> room.Running:
    return room.ensure_running(home, **({"region": "us-east-1"} | arguments))


@pytest.fixture
def kernel(home: Path) -> Iterator[Callable[..., Kernel]]:
    """Answer ``kernel(then="…")`` with a process that starts the emulator of `home`, then that."""

    def starter(*, then: str = "") -> Kernel:
        code = textwrap.dedent(START) + then
        process = subprocess.Popen(
            [sys.executable, "-X", "dev", "-c", code, str(home)],
            env={"PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    with killing_at_the_end() as started:
        yield starter


def own_vpcs(ec2: Any) -> list[str]:
    return [vpc["VpcId"] for vpc in ec2.describe_vpcs()["Vpcs"] if not vpc["IsDefault"]]


def make_vpc(ec2: Any) -> str:
    return str(ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"])


def wait_saved(home: Path, vpc: str) -> None:
    """Return when the state on disk has a VPC."""
    saved = home / "emulator" / "state" / "ec2.json"
    wait_until(
        lambda: saved.exists() and vpc in saved.read_text(),
        done=bool,
        what="the saved state",
        timeout=20,
        interval=0.02,
    )


def test_the_first_use_starts_it_on_loopback_alone_and_a_second_finds_the_same_process(
    home: Path, connect: Connect
) -> None:
    theirs = {"AWS_ACCESS_KEY_ID": "AKIAREAL", "AWS_PROFILE": "work", "HTTP_PROXY": "http://p"}
    first = start(home, environ=theirs)
    assert own_vpcs(connect(first)) == []
    second, found = start(home), room.find_running(home)
    assert found is not None
    states = [(each.pid, each.state) for each in (first, second, found)]
    assert states == [(first.pid, state) for state in ("started", "running", "running")]
    process = psutil.Process(first.pid)
    listening = [
        tuple(connection.laddr)
        for connection in process.net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert listening == [("127.0.0.1", first.port)]
    assert theirs.keys() & process.environ().keys() == set()
    assert (home / "emulator" / "process.json").stat().st_mode & 0o777 == 0o600


def test_kernels_that_start_it_at_once_get_one_that_outlives_them_and_an_interrupt(
    home: Path, kernel: Callable[..., Kernel]
) -> None:
    said = [other.communicate(timeout=30) for other in [kernel() for _ in range(3)]]
    answers = [out.split() for out, _ in said]
    assert sorted(state for _, state in answers) == ["running", "running", "started"]
    assert {pid for pid, _ in answers} == {str(start(home).pid)}
    assert [err for _, err in said] == ["", "", ""]
    room.stop_emulator(home)
    busy = kernel(then="time.sleep(60)")
    assert busy.stdout is not None
    pid = int(busy.stdout.readline().split()[0])
    os.killpg(busy.pid, signal.SIGINT)
    busy.wait(timeout=10)
    assert start(home).pid == pid


def test_a_stop_ends_the_process_and_the_next_start_has_its_state_and_its_port_if_free(
    home: Path, connect: Connect
) -> None:
    room.stop_emulator(home)
    assert not home.exists()
    first = start(home)
    vpc = make_vpc(connect(first))
    assert [room.stop_emulator(home), room.stop_emulator(home)] == [True, False]
    assert (psutil.pid_exists(first.pid), room.find_running(home)) == (False, None)
    second = start(home)
    assert (second.state, second.port) == ("started", first.port)
    assert own_vpcs(connect(second)) == [vpc]
    room.stop_emulator(home)
    with socket.create_server(("127.0.0.1", first.port)):
        third = start(home)
    assert third.port != first.port
    assert own_vpcs(connect(third)) == [vpc]
    os.kill(third.pid, signal.SIGTERM)  # from outside
    wait_gone(third.pid)
    assert own_vpcs(connect(start(home))) == [vpc]


def test_a_stop_that_cannot_save_its_state_says_so_and_counts_as_a_loss(home: Path) -> None:
    start(home)
    state = home / "emulator" / "state"
    state.write_text("a file where the folder should be")
    with pytest.raises(NotReady, match="保存できません"):
        room.stop_emulator(home)
    state.unlink()
    assert start(home).state == "restarted"


@pytest.mark.full
def test_one_that_hangs_is_reported_and_a_stop_kills_it(home: Path) -> None:
    running = start(home)
    os.kill(running.pid, signal.SIGSTOP)
    with pytest.raises(NotReady, match="応答しません"):
        start(home, timeout=0.2)
    with pytest.raises(NotReady, match="強制終了"):
        room.stop_emulator(home, timeout=0.2)
    wait_gone(running.pid)


@pytest.mark.full
def test_a_state_that_cannot_be_saved_is_told_at_the_next_call_until_it_can(
    home: Path, connect: Connect
) -> None:
    running = start(home)
    folder = home / "emulator"

    def wait_for(failure: int) -> None:
        secret = processes.read_secret(folder)
        wait_until(
            lambda: processes.check_health(running.port, secret),
            done=lambda seen: seen == failure,
            what="the emulator",
            timeout=20,
            interval=0.05,
        )

    (folder / "state").write_text("a file where the folder should be")
    vpc = make_vpc(connect(running))
    wait_for(errno.EEXIST)
    with pytest.raises(NotReady, match="書き込めません"):
        start(home)
    (folder / "state").unlink()
    wait_for(0)
    wait_saved(home, vpc)
    assert start(home).pid == running.pid


def test_one_whose_secret_is_gone_or_exchanged_starts_anew_with_its_state(
    home: Path, connect: Connect
) -> None:
    first = start(home)
    vpc = make_vpc(connect(first))
    (home / "emulator" / server.SECRET).unlink()
    found = room.find_running(home)
    assert found is not None
    assert found.secret_access_key == room.SECRET
    second = start(home)
    assert (second.state, second.pid == first.pid) == ("started", False)
    assert second.secret_access_key not in (first.secret_access_key, room.SECRET)
    assert own_vpcs(connect(second)) == [vpc]
    (home / "emulator" / server.SECRET).write_text(first.secret_access_key)
    third = start(home, timeout=10.0)
    assert (third.state, third.secret_access_key) == ("started", first.secret_access_key)
    assert own_vpcs(connect(third)) == [vpc]


def test_nobody_else_gets_an_answer_or_reads_a_file_and_no_process_shows_the_secret(
    tmp_path: Path, home: Path, connect: Connect
) -> None:
    (home / "emulator").mkdir(mode=0o755, parents=True)
    before = home / "emulator" / "emulator.log"
    before.touch(mode=0o644)
    running = start(home)
    make_vpc(connect(running))
    asked = [("POST", "/"), ("GET", "/v2/_catalog"), ("POST", "/_ministack/reset")]
    answers = []
    for way in [*asked, ("GET", gate.HEALTH)]:
        with contextlib.closing(HTTPConnection("127.0.0.1", running.port, timeout=10)) as wire:
            wire.request(*way)
            answer = wire.getresponse()
            answers.append((answer.status, running.secret_access_key in str(answer.read())))
    assert answers == [(403, False), (401, False), (403, False), (204, False)]
    process = psutil.Process(running.pid)
    shown = f"{process.cmdline()}{process.environ()}{before.read_text()}{running!r}"
    assert running.secret_access_key not in shown
    assert len(own_vpcs(connect(running))) == 1
    inside = [path for path in (home / "emulator").rglob("*") if path != before]
    modes = {path: path.stat().st_mode & 0o077 for path in (home / "emulator", *inside)}
    assert modes == dict.fromkeys(modes, 0)  # through the folder alone one reaches what was there
    pointed = {"endpoint_url": running.endpoint, "home": str(tmp_path / "other")}
    with pytest.raises(NotAllowed, match="ほかの人の組み込み AWS"):
        connect_target(read_settings({}, cwd=tmp_path, **pointed))
    other = start(tmp_path / "other")
    try:
        assert other.secret_access_key != running.secret_access_key
        assert (
            processes.check_health(running.port, other.secret_access_key) == processes.OTHER_SECRET
        )
    finally:
        room.stop_emulator(tmp_path / "other")


def test_no_secret_is_in_what_a_workshop_on_it_says_and_keeps(
    home: Path, shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = {"HANDSON_ENGINE": "builtin", "HANDSON_HOME": str(home), "PATH": os.environ["PATH"]}
    held = Workshop(
        read_settings(told, cwd=shop),
        progress=TerminalProgress(StringIO()),
        show=lambda card: print(card),
    )
    secret = processes.read_secret(home / "emulator")
    verbs: list[Callable[[], Any]] = [
        held.ensure_network,
        held.ensure_cluster,
        held.ensure_repository,
        lambda: held.push_image(held.build_image(shop)),
        lambda: held.push_commands(context=shop),
        lambda: held.evidence("image"),
        lambda: held,
    ]
    for verb in verbs:
        made = verb()
        print(made, repr(made), getattr(made, "_repr_mimebundle_", dict)())
    said = capsys.readouterr().out
    assert '"$(handson emulator secret)"' in said
    assert "amd64" in said  # the image's configuration was read, so the address was signed
    assert leaked(said, {"secret": secret}) == []
    where = {place for place, _ in leaks_in(home, {"secret": secret})}
    assert where == {f"emulator/{server.SECRET}"}


def test_a_killed_one_is_restarted_once_with_what_was_saved_before_and_its_port(
    home: Path, connect: Connect
) -> None:
    saved = make_vpc(connect(start(home)))
    room.stop_emulator(home)
    second = start(home)
    later = make_vpc(connect(second))
    wait_saved(home, later)
    kill(second)
    with pytest.raises(NotReady, match="応答しません"):
        start(home, timeout=0)
    assert room.find_running(home) is None
    third = start(home)  # the start that failed does not hide the kill
    assert (third.state, third.port, start(home).state) == ("restarted", second.port, "running")
    assert own_vpcs(connect(third)) == [saved, later]


def test_another_process_that_now_has_its_pid_is_left_alone(home: Path) -> None:
    kill(start(home))
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as innocent:
        try:
            record = processes.read_record(home / "emulator")
            processes.write_record(home / "emulator", record, pid=innocent.pid)
            assert room.stop_emulator(home) is False
            assert innocent.poll() is None
            assert start(home).pid != innocent.pid
        finally:
            innocent.kill()


def test_a_home_may_have_any_name_and_one_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    home = tmp_path / "ハンズオン の 家"
    try:
        assert start(home).state == "started"
    finally:
        assert room.stop_emulator(home) is True
    (tmp_path / "file").touch()
    with pytest.raises(NotReady, match="書き込めません") as refusal:
        start(tmp_path / "file" / "home")
    assert "HANDSON_HOME" in refusal.value.remedy


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is full")
def test_a_full_disk_is_named(home: Path) -> None:
    (home / "emulator").mkdir(parents=True)
    (home / "emulator" / "emulator.log").symlink_to("/dev/full")
    with pytest.raises(NotReady, match="空きがありません"):
        start(home)


def test_one_that_cannot_start_is_reported_with_its_last_words_and_so_is_a_lock(home: Path) -> None:
    (home / "emulator" / "stop").mkdir(parents=True)
    with pytest.raises(NotReady, match=r"Error: \[Errno \d+\].*emulator/stop"):
        start(home)
    with FileLock(home / "emulator" / "lock"), pytest.raises(NotReady, match="ロック"):
        start(home, timeout=0.05)


def test_a_reset_stops_it_and_forgets_what_ran_what_was_saved_and_a_kill(
    home: Path, connect: Connect
) -> None:
    make_vpc(connect(start(home)))
    room.stop_emulator(home)
    running = start(home)
    make_vpc(connect(running))
    assert room.reset_emulator(home) is True
    assert not psutil.pid_exists(running.pid)
    again = start(home)
    assert own_vpcs(connect(again)) == []
    kill(again)
    room.reset_emulator(home)
    assert start(home).state == "started"
