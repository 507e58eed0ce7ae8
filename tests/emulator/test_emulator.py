from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from filelock import FileLock

from handson.aws import emulator as room
from handson.aws.emulator import process, server
from handson.core.errors import NotReady
from handson.core.waiting import wait_until

pytestmark = [pytest.mark.emulator, pytest.mark.process]

ROOT = Path(__file__).parents[2]
Connect = Callable[[room.Running], Any]

START = """
    import sys
    from pathlib import Path
    from handson.aws import emulator
    running = emulator.ensure_running(Path(sys.argv[1]), region="us-east-1")
    print(running.pid, running.state, flush=True)
"""


def start(home: Path, **arguments: Any) -> room.Running:
    return room.ensure_running(home, **({"region": "us-east-1"} | arguments))


def other_process(home: Path, *, then: str = "") -> subprocess.Popen[str]:
    """Start the emulator of `home` from a process of its own, which then does `then`."""
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(START) + then, str(home)],
        env={"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def said(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Return pid and state as the other process saw them, once it has ended."""
    out, _ = process.communicate(timeout=30)
    pid, state = out.split()
    return int(pid), state


def kill(running: room.Running) -> None:
    """End it as a power cut would; return when it is gone."""
    os.kill(running.pid, signal.SIGKILL)
    gone(running)


def gone(running: room.Running) -> None:
    def alive() -> bool:
        try:
            return psutil.Process(running.pid).status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    wait_until(alive, done=lambda seen: not seen, what="end", timeout=10)


def own_vpcs(ec2: Any) -> list[str]:
    return [vpc["VpcId"] for vpc in ec2.describe_vpcs()["Vpcs"] if not vpc["IsDefault"]]


def make_vpc(ec2: Any) -> str:
    return str(ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"])


@pytest.fixture
def innocent() -> Iterator[psutil.Process]:
    """Somebody else's process."""
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    yield psutil.Process(other.pid)
    other.kill()
    other.wait()


# Starting


def test_the_first_use_starts_it(home: Path) -> None:
    assert start(home).state == "started"


def test_it_answers_as_soon_as_it_is_said_to_run(home: Path, connect: Connect) -> None:
    assert own_vpcs(connect(start(home))) == []


def test_a_second_use_finds_the_same_process(home: Path) -> None:
    first = start(home)
    second = start(home)
    assert (second.pid, second.state) == (first.pid, "running")


def test_processes_starting_at_once_get_one(home: Path) -> None:
    answers = [said(other) for other in [other_process(home) for _ in range(3)]]
    assert len({pid for pid, _ in answers}) == 1


def test_of_processes_starting_at_once_one_has_started_it(home: Path) -> None:
    answers = [said(other) for other in [other_process(home) for _ in range(3)]]
    assert sorted(state for _, state in answers) == ["running", "running", "started"]


def test_its_access_key_is_its_account(
    client: Callable[[str], Any], emulator: room.Running
) -> None:
    assert client("sts").get_caller_identity()["Account"] == emulator.account


def test_only_its_own_port_is_open_and_only_on_loopback(
    client: Callable[[str], Any], emulator: room.Running
) -> None:
    make_vpc(client("ec2"))
    client("ecs").create_cluster(clusterName="ecs-handson-cluster")
    client("ecr").create_repository(repositoryName="rails-app")
    listening = [
        tuple(connection.laddr)
        for connection in psutil.Process(emulator.pid).net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert listening == [("127.0.0.1", emulator.port)]


def test_nothing_of_the_learners_environment_reaches_it(home: Path) -> None:
    theirs = {"AWS_ACCESS_KEY_ID": "AKIAREAL", "AWS_PROFILE": "work", "HTTP_PROXY": "http://p"}
    running = start(home, environ=theirs)
    assert theirs.keys() & psutil.Process(running.pid).environ().keys() == set()


def test_its_record_is_for_its_owner_only(home: Path) -> None:
    start(home)
    assert (home / "emulator" / "process.json").stat().st_mode & 0o777 == 0o600


def test_the_emulator_fixture_is_emptied_first_part(client: Callable[[str], Any]) -> None:
    assert own_vpcs(client("ec2")) == []
    make_vpc(client("ec2"))


def test_the_emulator_fixture_is_emptied_second_part(client: Callable[[str], Any]) -> None:
    assert own_vpcs(client("ec2")) == []


# Living on


def test_it_outlives_the_process_that_started_it(home: Path) -> None:
    pid, _ = said(other_process(home))
    assert start(home).pid == pid


def test_a_kernel_that_ends_before_it_is_not_warned_of_it(home: Path) -> None:
    command = [sys.executable, "-X", "dev", "-c", textwrap.dedent(START), str(home)]
    kernel = subprocess.run(
        command, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=60
    )
    assert (kernel.returncode, kernel.stderr) == (0, "")


def test_interrupting_the_kernel_does_not_reach_it(home: Path) -> None:
    kernel = other_process(home, then="import time; time.sleep(60)")
    assert kernel.stdout is not None
    pid = int(kernel.stdout.readline().split()[0])
    os.killpg(kernel.pid, signal.SIGINT)
    kernel.communicate(timeout=10)
    assert start(home).pid == pid


def test_status_sees_the_running_one(home: Path) -> None:
    running = start(home)
    seen = room.find_running(home)
    assert seen is not None
    assert seen.pid == running.pid


def test_status_sees_nothing_after_a_stop(home: Path) -> None:
    start(home)
    room.stop_emulator(home)
    assert room.find_running(home) is None


# Stopping


def test_stop_ends_the_process(home: Path) -> None:
    running = start(home)
    room.stop_emulator(home)
    assert not psutil.pid_exists(running.pid)


def test_stop_says_whether_there_was_one(home: Path) -> None:
    start(home)
    assert [room.stop_emulator(home), room.stop_emulator(home)] == [True, False]


def test_stop_makes_no_home(home: Path) -> None:
    room.stop_emulator(home)
    assert not home.exists()


def test_state_is_kept_over_a_graceful_stop(home: Path, connect: Connect) -> None:
    vpc = make_vpc(connect(start(home)))
    room.stop_emulator(home)
    assert own_vpcs(connect(start(home))) == [vpc]


def test_a_terminate_signal_from_outside_keeps_the_state_too(home: Path, connect: Connect) -> None:
    running = start(home)
    vpc = make_vpc(connect(running))
    os.kill(running.pid, signal.SIGTERM)
    gone(running)
    assert own_vpcs(connect(start(home))) == [vpc]


def test_after_a_graceful_stop_it_is_started(home: Path) -> None:
    start(home)
    room.stop_emulator(home)
    assert start(home).state == "started"


def test_a_stop_whose_state_cannot_be_saved_says_so(home: Path) -> None:
    start(home)
    (home / "emulator" / "state").write_text("a file where the folder should be")
    with pytest.raises(NotReady, match="保存できません"):
        room.stop_emulator(home)


def test_after_an_unsaved_stop_it_is_restarted(home: Path) -> None:
    start(home)
    state = home / "emulator" / "state"
    state.write_text("a file where the folder should be")
    with pytest.raises(NotReady):
        room.stop_emulator(home)
    state.unlink()
    assert start(home).state == "restarted"


def test_one_that_does_not_stop_in_time_is_killed(home: Path) -> None:
    running = start(home)
    os.kill(running.pid, signal.SIGSTOP)
    with pytest.raises(NotReady, match="強制終了"):
        room.stop_emulator(home, timeout=0.2)
    gone(running)


# Killed hard


def test_a_killed_one_is_restarted(home: Path) -> None:
    kill(start(home))
    assert start(home).state == "restarted"


def test_a_restart_is_told_once(home: Path) -> None:
    kill(start(home))
    assert [start(home).state, start(home).state] == ["restarted", "running"]


def test_what_was_saved_before_survives_a_kill(home: Path, connect: Connect) -> None:
    saved = make_vpc(connect(start(home)))
    room.stop_emulator(home)
    second = start(home)
    make_vpc(connect(second))
    kill(second)
    assert own_vpcs(connect(start(home))) == [saved]


def test_a_failed_start_does_not_hide_that_it_was_killed(home: Path) -> None:
    kill(start(home))
    with pytest.raises(NotReady):
        start(home, timeout=0)
    assert start(home).state == "restarted"


def test_the_process_that_now_has_its_pid_is_left_alone(
    home: Path, innocent: psutil.Process
) -> None:
    kill(start(home))
    record = process.read_record(home / "emulator")
    process.write_record(home / "emulator", record, pid=innocent.pid)
    assert room.stop_emulator(home) is False
    assert innocent.status() != psutil.STATUS_ZOMBIE


def test_the_process_that_now_has_its_pid_is_not_taken_for_it(
    home: Path, innocent: psutil.Process
) -> None:
    kill(start(home))
    record = process.read_record(home / "emulator")
    process.write_record(home / "emulator", record, pid=innocent.pid)
    assert start(home).pid != innocent.pid


# The port


def test_the_previous_port_is_taken_again(home: Path) -> None:
    first = start(home)
    room.stop_emulator(home)
    assert start(home).port == first.port


def test_the_previous_port_is_taken_again_after_a_kill(home: Path, connect: Connect) -> None:
    first = start(home)
    make_vpc(connect(first))
    kill(first)
    assert start(home).port == first.port


def test_it_moves_on_when_its_port_is_taken(home: Path, connect: Connect) -> None:
    first = start(home)
    vpc = make_vpc(connect(first))
    room.stop_emulator(home)
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", first.port))
        other.listen()
        second = start(home)
    assert second.port != first.port
    assert own_vpcs(connect(second)) == [vpc]


def test_listening_moves_on_from_a_taken_port() -> None:
    with server.open_listener(0) as first, server.open_listener(first.getsockname()[1]) as second:
        assert second.getsockname()[1] != first.getsockname()[1]


# What can go wrong


def test_a_home_that_cannot_be_made_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NotReady, match="書き込めません") as refusal:
        start(tmp_path / "file" / "home")
    assert "HANDSON_HOME" in refusal.value.remedy


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_home_that_is_read_only_is_refused(home: Path) -> None:
    home.mkdir(mode=0o500)
    with pytest.raises(NotReady, match="書き込めません"):
        start(home)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is full")
def test_a_full_disk_is_named(home: Path) -> None:
    (home / "emulator").mkdir(parents=True)
    (home / "emulator" / "emulator.log").symlink_to("/dev/full")
    with pytest.raises(NotReady, match="空きがありません"):
        start(home)


def test_one_that_dies_at_its_start_is_reported_with_its_last_words(home: Path) -> None:
    (home / "emulator" / "stop").mkdir(parents=True)
    with pytest.raises(NotReady, match=r"Error: \[Errno \d+\].*emulator/stop"):
        start(home)


def test_one_that_is_not_ready_in_time_is_reported(home: Path) -> None:
    with pytest.raises(NotReady, match="応答しません"):
        start(home, timeout=0)


def test_one_that_was_not_ready_in_time_is_not_left_running(home: Path) -> None:
    with pytest.raises(NotReady):
        start(home, timeout=0)
    assert room.find_running(home) is None


def test_a_start_that_another_process_holds_up_is_reported(home: Path) -> None:
    (home / "emulator").mkdir(parents=True)
    with FileLock(home / "emulator" / "lock"), pytest.raises(NotReady, match="ロック"):
        start(home, timeout=0.05)


def test_a_home_with_spaces_and_japanese_in_its_name_works(tmp_path: Path) -> None:
    home = tmp_path / "ハンズオン の 家"
    assert start(home).state == "started"
    assert room.stop_emulator(home) is True


def test_one_that_hangs_is_reported(home: Path) -> None:
    os.kill(start(home).pid, signal.SIGSTOP)
    with pytest.raises(NotReady, match="応答しません"):
        start(home, timeout=0.2)
    with pytest.raises(NotReady, match="強制終了"):
        room.stop_emulator(home, timeout=0.1)


# Reset


def test_reset_stops_it(home: Path) -> None:
    running = start(home)
    assert room.reset_emulator(home) is True
    assert not psutil.pid_exists(running.pid)


def test_reset_forgets_what_ran(home: Path, connect: Connect) -> None:
    make_vpc(connect(start(home)))
    room.reset_emulator(home)
    assert own_vpcs(connect(start(home))) == []


def test_reset_forgets_what_was_saved(home: Path, connect: Connect) -> None:
    make_vpc(connect(start(home)))
    room.stop_emulator(home)
    room.reset_emulator(home)
    assert own_vpcs(connect(start(home))) == []


def test_after_resetting_a_killed_one_nothing_is_lost(home: Path) -> None:
    kill(start(home))
    room.reset_emulator(home)
    assert start(home).state == "started"
