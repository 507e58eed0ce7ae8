"""A class on a hub: five learners at once, their teacher, a stranger, and what goes wrong."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from handson.course.evidence import METADATA_KEY
from tests.hub.conftest import NAMES
from tests.hub.seats import PASSWORD, Hub, Seat, wait_seconds, work_through

pytestmark = pytest.mark.hub

SAVED = 6
"""Seconds after which a change is on disk (handson/aws/emulator/state_saver.py says 5)."""
REACH = """
import json, socket
reached = []
for host, port in {places}:
    with socket.socket() as probe:
        probe.settimeout(1)
        if probe.connect_ex((host, port)) == 0:
            reached.append(f"{{host}}:{{port}}")
print(json.dumps(reached))
"""
ASK_HUB = """
import json, os, urllib.request
base, token = os.environ["JUPYTERHUB_API_URL"], os.environ["JUPYTERHUB_API_TOKEN"]
answers = []
for path in {paths}:
    asked = urllib.request.Request(base + path, headers={{"Authorization": f"token {{token}}"}})
    try:
        answers.append(urllib.request.urlopen(asked).status)
    except urllib.error.HTTPError as refused:
        answers.append(refused.code)
print(json.dumps(answers))
"""
FORK = """
import json, os, signal
children = []
try:
    while len(children) < 5000:
        child = os.fork()
        if not child:
            signal.pause()
        children.append(child)
except OSError as error:
    refused = type(error).__name__
for child in children:
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
print(json.dumps([refused, len(children) < 512]))
"""
FILL = """
import errno, json, os
refused = []
home = os.path.expanduser("~")
for path, size in (("/tmp/full", 300 << 20), (f"{home}/full", 2 << 30), ("/opt/full", 1)):
    try:
        with open(path, "wb") as file:
            if size > 1 << 30:
                os.ftruncate(file.fileno(), size)
            else:
                file.write(bytes(size))
    except OSError as error:
        refused.append(errno.errorcode[error.errno])
    finally:
        if os.path.exists(path):
            os.remove(path)
print(json.dumps(refused))
"""


def names_in(seat: Seat, notebook: str) -> list[str]:
    """Return the learner of each evidence record in a saved notebook."""
    outputs = [out for cell in seat.saved(notebook)["cells"] for out in cell.get("outputs", ())]
    records = [out.get("metadata", {}).get(METADATA_KEY) for out in outputs]
    return [record["learner"] for record in records if record]


def reach(seat: Seat, *places: tuple[str, int]) -> Any:
    return seat.run_python(REACH.format(places=list(places)))


def address_of(seat: Seat) -> str:
    [network] = seat.container.attrs["NetworkSettings"]["Networks"].values()
    return str(network["IPAddress"])


def show(seat: Seat, path: str) -> int:
    """Return the status of a page of the hub, for who sits at the seat."""
    status: int = seat.page.request.get(f"{seat.hub.address}{path}").status
    return status


def test_each_learner_has_worked_under_the_hubs_name(seats: list[Seat]) -> None:
    found = {seat.name: (names_in(seat, "01-network"), seat.list_passed()) for seat in seats}
    assert found == {name: ([name], ["network"]) for name in NAMES}


def test_no_server_reaches_anothers_or_the_host_or_the_board(seats: list[Seat]) -> None:
    mine, other = seats[:2]
    status = json.loads(other.run("handson", "emulator", "status", "--json"))
    port = int(status["endpoint"].rpartition(":")[2])
    [gateway] = re.findall(r"10\.214\.0\.\d+", mine.container.attrs["NetworkSettings"]["Networks"]
                           .popitem()[1]["Gateway"] or "10.214.0.1")  # fmt: skip
    there = address_of(other)
    places = [(there, 8888), (there, port), (gateway, 22), ("1.1.1.1", 53), ("hub", 8001)]
    assert reach(other, ("127.0.0.1", port), (there, 8888)) == [
        f"127.0.0.1:{port}",
        f"{there}:8888",
    ]
    assert reach(mine, *places, ("hub", 8081)) == ["hub:8081"]
    once = "RES_OPTIONS=attempts:1 timeout:1"  # no server that could be asked knows the name
    assert mine.run("env", once, "getent", "hosts", "board") == ""


def test_no_learner_opens_anothers_server_or_the_class(seats: list[Seat], hub: Hub) -> None:
    mine, other = seats[:2]
    paths = ["/users", f"/users/{other.name}", "/proxy", f"/users/{mine.name}"]
    assert mine.run_python(ASK_HUB.format(paths=paths)) == [403, 404, 403, 200]
    assert show(mine, other.base.removeprefix(hub.address) + "/lab") == 403
    assert show(mine, "hub/admin") == 403


def test_no_learner_has_anothers_files_or_keys(seats: list[Seat]) -> None:
    keys = [json.loads(seat.run("handson", "emulator", "status", "--json")) for seat in seats]
    assert len({key["secret_access_key"] for key in keys}) == len(seats)
    seats[0].run("sh", "-c", "echo mine >hand-in/mine.txt")
    found = {
        seat.name: seat.run("sh", "-c", "ls hand-in; ls hand-ins 2>&1 | wc -l") for seat in seats
    }
    assert found == {**dict.fromkeys(NAMES, "1\n"), NAMES[0]: "mine.txt\n1\n"}
    seats[0].run("rm", "hand-in/mine.txt")


def test_a_server_that_is_killed_or_stopped_is_there_again_with_all_that_was_made(
    seats: list[Seat],
) -> None:
    before = [seat.list_passed() for seat in seats]
    wait_seconds(SAVED)
    seats[0].container.kill("SIGKILL")
    seats[1].stop()
    for seat in seats[:2]:
        seat.come_back()
    assert [seat.list_passed() for seat in seats] == before
    work_through(seats, "02-cluster")
    assert [seat.list_passed() for seat in seats] == [["network", "cluster"]] * 5
    assert [names_in(seat, "02-cluster") for seat in seats] == [[name] for name in NAMES]


def test_the_teacher_grades_what_learners_have_handed_in(
    seats: list[Seat], teacher: Seat, hub: Hub
) -> None:
    program = (
        "import handson, json; print(json.dumps(handson.start(lang='en').hand_in().path.name))"
    )
    names = [seat.run_python(program) for seat in seats[:3]]
    assert names == [f"{name}.zip" for name in NAMES[:3]]
    graded = json.loads(teacher.run("sh", "-c", "handson grade hand-ins --json 2>/dev/null"))
    points = {each["learner"]: each["points"] for each in graded["learners"]}
    assert points == {**dict.fromkeys(NAMES, 0), **dict.fromkeys(NAMES[:3], 45)}
    assert "Read-only" in teacher.run("touch", "hand-ins/mine.txt")
    assert show(teacher, seats[0].base.removeprefix(hub.address) + "/lab") == 403
    assert show(teacher, "hub/admin") == 200


def test_the_board_shows_the_teacher_each_learner_and_opens_for_no_learner(
    seats: list[Seat], teacher: Seat, hub: Hub
) -> None:
    seats[4].run("ipython", "-c", "import handson; handson.start(lang='en'); 1 / 0", folder="en")
    board = teacher.page.context.new_page()
    board.goto(f"{hub.address}services/board/")
    board.locator("tbody tr").first.wait_for()
    rows = board.locator("tbody tr").all()
    found = {row.locator("th").inner_text(): row.locator(".passed").count() for row in rows}
    assert {name: found.get(name) for name in NAMES} == dict.fromkeys(NAMES, 2)
    assert "ZeroDivisionError" in board.locator("li", has_text=NAMES[4]).inner_text()
    assert [show(seat, "services/board/") for seat in seats[:2]] == [403, 403]
    assert "are logged" in json.dumps(seats[0].saved("01-network"))  # the learner reads so
    board.close()


def test_a_second_window_joins_the_first_and_a_second_server_is_refused(seats: list[Seat]) -> None:
    [before] = seats[3].hub.list_containers(NAMES[3])
    page = seats[3].page.context.new_page()
    page.goto(f"{seats[3].hub.address}hub/spawn")
    page.wait_for_url("**/user/s1001/lab**")
    cookies = page.context.cookies(f"{seats[3].hub.address}hub/")
    token = next(each["value"] for each in cookies if each["name"] == "_xsrf")
    second = page.request.post(
        f"{seats[3].hub.address}hub/api/users/s1001/servers/second", headers={"X-XSRFToken": token}
    )
    assert second.status in (400, 403)
    assert [each.id for each in seats[3].hub.list_containers(NAMES[3])] == [before.id]
    page.close()


def test_a_learner_who_forks_or_fills_the_disk_meets_a_limit_and_loses_nothing(
    seats: list[Seat],
) -> None:
    seat = seats[4]
    assert seat.run_python(FORK) == ["BlockingIOError", True]
    assert seat.run_python(FILL) == ["ENOSPC", "EFBIG", "EROFS"]
    limits = seat.container.attrs["HostConfig"]
    assert (limits["Memory"], limits["MemorySwap"]) == (1 << 30, 1 << 30)
    # Where memory ends, a kernel ends, and the server stays: the higher, the sooner.
    scores = seat.run("sh", "-c", "cat $(grep -l [i]pykernel /proc/*/cmdline "
                      "| sed s,cmdline,oom_score_adj,)").split()  # fmt: skip
    assert set(scores) == {"500"}
    assert "network" in seat.list_passed()


def test_a_stranger_gets_in_only_once_the_list_has_the_name(hub: Hub, browser: Any) -> None:
    stranger = Seat(hub, browser, "mallory", "first-password")
    stranger.sign_in("/hub/home")
    stranger.page.wait_for_selector(".login_error")
    assert "not on the class list" in stranger.page.inner_text(".login_error")
    hub.list.write_text(hub.list.read_text("utf-8") + "Mallory\n", encoding="utf-8")
    stranger.password = PASSWORD  # the first was not kept
    stranger.sign_in("/hub/home")
    stranger.page.wait_for_url("**/hub/home")
    assert not (hub.folder / "homes" / "mallory").exists()
    hub.list.write_text(hub.list.read_text("utf-8").replace("Mallory\n", ""), encoding="utf-8")


REFUSALS = {
    "The class list cannot be read": {"CLASS_LIST": "/none.csv"},
    "has no names": {"CLASS_LIST": "/dev/null"},
    "CLASS_TEACHERS is empty": {"CLASS_TEACHERS": ""},
    "CLASS_FOLDER is not set": {"CLASS_FOLDER": ""},
    "CLASS_FOLDER cannot be written": {"CLASS_FOLDER": "/proc", "CLASS_AUTH": "dummy"},
    "CLASS_SUBNET": {"CLASS_SUBNET": "10.213.0.0/30"},
    "No container engine answers": {"socket": "no"},
    "No image": {"CLASS_IMAGE": "handson-none:1"},
}


@pytest.mark.parametrize("seen", REFUSALS)
def test_a_mistake_of_the_admin_ends_the_hub_with_two_lines(hub: Hub, seen: str) -> None:
    said = hub.refuse(**REFUSALS[seen])
    assert len(said) == 2
    assert said[0].startswith("✘ ")
    assert seen in said[0]
    assert said[1].startswith("→ ")


CONFIG = """
import json, pathlib, runpy
from dockerspawner import DockerSpawner
from traitlets.config import Config
told = runpy.run_path("/srv/jupyterhub/jupyterhub_config.py", init_globals={"get_config": Config})
lists, listed = json.loads(%r), []
for text, encoding in lists:
    path = pathlib.Path("/tmp/list")
    path.write_bytes(text.encode(encoding))
    listed.append(sorted(told["read_names"](path)))
folders = [told["name_folder"](user, DockerSpawner._escape(user)) for user in json.loads(%r)]
print(json.dumps([folders, listed]))
"""
LISTS = {
    ("hanako\nTaro \n\n# ben\n", "utf-8-sig"): ["hanako", "taro"],
    ("group,Learner,name\nA,s1001,山田\nB,,\n", "utf-8"): ["s1001"],
    ("learner,name\n鈴木一郎,鈴木\n", "cp932"): ["鈴木一郎"],
    ("か\u3099く\n", "utf-8"): ["がく"],
    ("", "utf-8"): [],
}
FOLDERS = {
    **{name: name for name in NAMES},
    "auth0|12:3": "auth0|12:3",
    ".taro": "~-2etaro-964e67bc0b0b",
    "~-2etaro-964e67bc0b0b": None,
    "あ" * 80: None,
    "あ" * 81: None,
}
"""Users, and their folders; None for a name that is no other's and fits a disk."""


def test_names_of_a_list_are_read_and_no_two_users_share_a_folder(hub: Hub) -> None:
    given = json.dumps([*LISTS]), json.dumps([*FOLDERS])
    container = hub.engine.containers.get(f"{hub.project}-hub-1")
    said = container.exec_run(["python3", "-c", CONFIG % given]).output.decode()
    folders, listed = json.loads(said.splitlines()[-1])
    assert listed == [*LISTS.values()]
    assert len({*folders}) == len(FOLDERS)
    assert all(len(folder.encode()) <= 255 for folder in folders)
    known = zip(folders, FOLDERS.values(), strict=True)
    assert [pair for pair in known if pair[1] and pair[0] != pair[1]] == []
