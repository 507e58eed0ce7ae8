"""The report without a browser: what it holds, how it is written, what it draws."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from handson import grading
from handson.cli import main
from handson.core import messages
from handson.course import syllabus
from handson.grading import Result, architecture, handout, report
from handson.grading.architecture import ABSENT, DIFFERS, EXTRA, SAME, UNSEEN, Box

from . import making

Observed = dict[str, Any]
PAGE = Path(report.__file__).parent / "page"


@pytest.fixture(scope="module")
def inbox(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inbox")
    making.hand_in("s01", seed=1).write(folder / "s01")
    book = making.hand_in("s02", seed=2)
    book.answer("why-zones", "a</script>\u2028<b>&amp;HALF")
    for path in book.write(folder / "s02").iterdir():
        path.write_bytes(path.read_bytes().replace(b"HALF", b"\\ud83d"))
    return folder


def page_of(inbox: Path) -> str:
    with grading.grade([inbox], pictures=True) as grades:
        return "".join(report.parts(grades))


def data_of(page: str, name: str) -> Any:
    found = re.search(f'<script type="application/json" id="{name}">(.*?)</script>', page)
    assert found is not None
    return json.loads(found[1])


# The page.


def test_the_same_class_makes_the_same_bytes(inbox: Path) -> None:
    assert page_of(inbox) == page_of(inbox)


def test_what_strangers_wrote_cannot_end_its_element(inbox: Path) -> None:
    page = page_of(inbox)
    inside = re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', page, re.DOTALL)
    assert len(inside) == 3
    assert not re.search("[<>&\u2028\u2029]", "".join(inside))
    assert data_of(page, "learner-1")["texts"][1] == "a</script>\n<b>&amp;\ufffd"


def test_the_policy_names_our_script_and_style_and_nothing_else(inbox: Path) -> None:
    page = page_of(inbox)
    for element in ("script", "style"):
        text = re.search(f"<{element}>(.*?)</{element}>", page, re.DOTALL)
        assert text is not None
        digest = base64.b64encode(hashlib.sha256(text[1].encode()).digest()).decode()
        assert f"{element}-src &#x27;sha256-{digest}&#x27;" in page
    assert "default-src &#x27;none&#x27;" in page
    assert "unsafe" not in page


def test_nothing_is_fetched_from_a_network(inbox: Path) -> None:
    ours = (PAGE / "report.js").read_text("utf-8") + (PAGE / "report.css").read_text("utf-8")
    assert re.findall(r"https?:|//[a-z]|@import|url\(|innerHTML|eval\(|fetch\(", ours) == []


@pytest.mark.parametrize("lang", messages.LANGUAGES)
def test_the_page_is_in_the_language_that_was_asked_for(inbox: Path, lang: str) -> None:
    messages.use(lang)
    page = page_of(inbox)
    assert f'<html lang="{lang}">' in page
    assert data_of(page, "class")["words"]["title"] == messages.text("grading.report.page-title")


def test_the_page_says_every_word_that_it_is_given_and_no_other(inbox: Path) -> None:
    """Some words are put together in the script: their beginning has to stand there."""
    script = (PAGE / "report.js").read_text(encoding="utf-8")
    whole = set(re.findall(r'say\("([\w-]+)"', script)) | set(
        re.findall(r'section\("(\w+)"', script)
    )
    begun = {"show-", "kind-"}
    said_by_state = {"passed", "failed", "unproven", "missing", "serious", "warning", "note"}
    said_by_state |= {"same", "differs", "extra", "unseen", "gone", "yes", "no"}
    said_by_state |= {"ascending", "descending", "before", "after", "no-cell", "no-answer"}
    given = set(data_of(page_of(inbox), "class")["words"]) - {"noscript", "title"}
    assert whole - given - {"title", "show-them"} == set()
    left = given - whole - said_by_state
    assert {word for word in left if not word.startswith(tuple(begun))} == set()


def test_questions_are_called_as_in_the_notebooks() -> None:
    spoken = set()
    for lang in messages.LANGUAGES:
        messages.use(lang)
        spoken |= {
            messages.template(f"grading.report.question-{q.grade_id}") for q in syllabus.QUESTIONS
        }
    assert {heading.lstrip("# ") for heading in handout.headings()} == spoken


def test_only_its_owner_may_read_the_report(inbox: Path, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    with grading.grade([inbox]) as grades:
        grading.write_report(grades, path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [item.name for item in tmp_path.iterdir()] == ["report.html"]


def test_a_report_that_cannot_be_written_is_two_lines(
    inbox: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HANDSON_HOME", str(tmp_path / "home"))
    path = tmp_path / "none" / "report.html"
    result = CliRunner().invoke(main, ["grade", str(inbox), "--html", str(path)])
    assert (result.exit_code, len(result.stderr.splitlines())) == (2, 2)
    assert str(path) in result.stderr


def test_a_report_that_breaks_off_leaves_the_old_one(inbox: Path, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text("old")
    with grading.grade([inbox]) as grades:
        grades.close()
        with pytest.raises(ValueError, match="closed"):
            grading.write_report(grades, path)
    assert (path.read_text(), len(list(tmp_path.iterdir()))) == ("old", 1)


def test_the_command_says_where_the_report_is_and_leaves_the_results_alone(
    inbox: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HANDSON_HOME", str(tmp_path / "home"))
    path = tmp_path / "report.html"
    result = CliRunner().invoke(main, ["grade", str(inbox), "--json", "--html", str(path)])
    assert json.loads(result.stdout)["schema"] == "handson.grading/1"
    assert str(path) in result.stderr


# The architecture.


def seen(folder: Path, change: Callable[[str, Observed], object]) -> Result:
    making.hand_in("s01", seed=1, observe=change).write(folder / "s01")
    with grading.grade([folder]) as grades:
        return grades.load(0)


def every(box: Box) -> list[Box]:
    return [box, *(inner for outer in box.inside for inner in every(outer))]


def told(result: Result) -> dict[str, list[str]]:
    """Return the states of the boxes by kind."""
    found: dict[str, list[str]] = {}
    for box in every(architecture.draw(result)):
        found.setdefault(box.kind, []).append(box.state)
    return found


RIGHT = {
    "aws": [SAME],
    "vpc": [SAME],
    "gateway": [SAME],
    "zone": [SAME, SAME],
    "subnet": [SAME, SAME],
    "cluster": [SAME],
    "repository": [SAME],
    "image": [SAME],
}


def vpc_of(observed: Observed) -> Observed | None:
    return next((vpc for vpc in observed["vpcs"] if not vpc["is_default"]), None)


def with_vpc(change: Callable[[Observed], object]) -> Callable[[str, Observed], None]:
    def changed(check: str, observed: Observed) -> None:
        vpc = vpc_of(observed)
        if check == "network" and vpc is not None:
            change(vpc)

    return changed


def no_way_out(vpc: Observed) -> None:
    for table in vpc["route_tables"]:
        table["routes"] = [route for route in table["routes"] if route["target"] == "local"]


def third_subnet(vpc: Observed) -> None:
    first = vpc["subnets"][0]
    name = first["name"].replace("public1", "public3")
    more = {**first, "id": "subnet-0123456789abcdef9", "cidr": "10.0.32.0/20", "name": name}
    vpc["subnets"].append(more)
    for table in vpc["route_tables"]:
        if first["id"] in table["subnets"]:
            table["subnets"].append(more["id"])


def private(vpc: Observed) -> None:
    vpc["subnets"][1].update(name="ecs-handson-subnet-private1", cidr="10.0.128.0/20")
    for table in vpc["route_tables"]:
        table["subnets"] = [id for id in table["subnets"] if id != vpc["subnets"][1]["id"]]


CHANGES: dict[str, tuple[Callable[[str, Observed], object], dict[str, list[str]]]] = {
    "nothing": (lambda check, observed: None, {}),
    "no VPC": (
        lambda check, observed: observed.update(vpcs=[]),
        {"vpc": [ABSENT], "gateway": [ABSENT], "subnet": [ABSENT, ABSENT]},
    ),
    "another block": (
        with_vpc(lambda vpc: vpc.update(cidr="10.1.0.0/16", cidrs=["10.1.0.0/16"])),
        {"vpc": [DIFFERS]},
    ),
    "no gateway": (
        with_vpc(lambda vpc: vpc.update(internet_gateways=[])),
        {"gateway": [ABSENT], "subnet": [DIFFERS, DIFFERS]},
    ),
    "a gateway that is not attached": (
        with_vpc(lambda vpc: vpc["internet_gateways"][0].update(attachment="detached")),
        {"gateway": [ABSENT], "subnet": [DIFFERS, DIFFERS]},
    ),
    "no way out": (with_vpc(no_way_out), {"subnet": [DIFFERS, DIFFERS]}),
    "one subnet": (
        with_vpc(lambda vpc: vpc["subnets"].pop()),
        {"subnet": [SAME, ABSENT]},
    ),
    "both in one zone": (
        with_vpc(lambda vpc: vpc["subnets"][1].update(zone=vpc["subnets"][0]["zone"])),
        {"zone": [SAME], "subnet": [SAME, DIFFERS]},
    ),
    "a private subnet": (with_vpc(private), {"subnet": [SAME, DIFFERS, ABSENT]}),
    "a third subnet": (with_vpc(third_subnet), {"subnet": [SAME, DIFFERS, SAME]}),
    "no cluster": (
        lambda check, observed: observed.update(clusters=[]),
        {"cluster": [ABSENT]},
    ),
    "a repository of everybody's": (
        lambda check, observed: [
            repository.update(uri="public.ecr.aws/a1b2c3d4/rails-app")
            for repository in observed["repositories"]
        ],
        {"repository": [DIFFERS]},
    ),
    "no image": (
        lambda check, observed: observed.update(images=[], recorded_uri=None),
        {"image": [ABSENT]},
    ),
    "an image for another processor": (
        lambda check, observed: [
            image.update(platforms=[{"os": "linux", "architecture": "arm64"}])
            for image in observed["images"]
        ],
        {"image": [DIFFERS]},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_what_differs_from_the_goal_is_marked_where_it_is(tmp_path: Path, name: str) -> None:
    change, expected = CHANGES[name]
    result = told(seen(tmp_path, change))
    wanted = {kind: found for kind, found in {**RIGHT, **expected}.items() if found}
    assert result == wanted


def test_a_box_that_differs_says_why_as_the_checks_do(tmp_path: Path) -> None:
    change, _ = CHANGES["no way out"]
    result = seen(tmp_path, change)
    subnets = [box for box in every(architecture.draw(result)) if box.kind == "subnet"]
    (cause,) = result.check("network").diagnoses
    assert [box.why for box in subnets] == [(cause.message,), ("0.0.0.0/0 → none",)]


def test_a_second_network_is_more_than_the_goal_has(tmp_path: Path) -> None:
    def twin(check: str, observed: Observed) -> None:
        vpc = vpc_of(observed)
        if check == "network" and vpc is not None:
            observed["vpcs"].append({**vpc, "id": "vpc-0123456789abcdef9"})

    assert told(seen(tmp_path, twin))["vpc"] == [DIFFERS, EXTRA]


def test_what_has_no_evidence_is_called_unseen(tmp_path: Path) -> None:
    book = making.hand_in("s01", seed=1)
    for cell, _ in list(book.outputs()):
        cell["outputs"] = []
    book.write(tmp_path / "s01")
    with grading.grade([tmp_path]) as grades:
        states_seen = {state for found in told(grades.load(0)).values() for state in found}
    assert states_seen == {UNSEEN}
