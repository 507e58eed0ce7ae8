"""Individual labs on an AWS: the sheet under start, changes in the middle, and a whole course."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from handson.aws import settings
from handson.aws.connection import Connection
from handson.aws.emulator import Running
from handson.core.errors import NotReady
from handson.course import syllabus
from handson.course.course import read_course
from handson.course.exercise import Exercise
from handson.grading import Learner, Requirements, Roster, grade_class
from handson.notebook.workshop import Workshop
from tests.emulator import hooks
from tests.emulator.workshops import open_workshop
from tests.unit.fake_aws import Refusal, reply

pytestmark = pytest.mark.emulator

LAB = '[exercise]\nkey = "spring"\n'


@pytest.fixture
def course(home: Path) -> Path:
    path = home.parent / "course.toml"
    path.write_text(LAB, encoding="utf-8")
    return path


def derive(course: Path, learner: str) -> Exercise:
    read = read_course(course, known_regions=settings.list_regions())
    return read.derive_exercise(learner)


def read_sheet(held: Workshop) -> str:
    return repr(held.overview())


def test_without_a_name_nothing_is_made_and_two_lines_say_so(home: Path, course: Path) -> None:
    with pytest.raises(NotReady) as refused:
        open_workshop(home, learner="")
    assert len(refused.value.lines()) == 2
    assert 'learner="' in str(refused.value)
    assert [each.name for each in home.iterdir()] == []


def test_the_sheet_shows_ones_own_values_and_none_where_all_build_the_same(
    home: Path, emulator: Running, course: Path
) -> None:
    own = derive(course, "Hanako")
    sheet = read_sheet(open_workshop(home, endpoint_url=emulator.endpoint))
    values = (own.network.name, own.network.cidr, own.cluster, own.repository, own.region)
    assert [value for value in values if not re.search(rf": {value}$", sheet, re.M)] == []
    elsewhere = open_workshop(home, endpoint_url=emulator.endpoint, region="eu-west-1")
    assert re.search(rf"eu-west-1.*{own.region}", read_sheet(elsewhere))
    course.unlink()
    assert "ecs-handson" not in read_sheet(open_workshop(home, endpoint_url=emulator.endpoint))


def test_another_spelling_goes_on_and_another_name_is_told_what_was_made(
    home: Path, emulator: Running, course: Path
) -> None:
    def open_as(learner: str) -> Workshop:
        return open_workshop(home, learner=learner, endpoint_url=emulator.endpoint)

    first = open_as("Hanako Yamada")
    first.overview()
    first.ensure_network()
    name = derive(course, "Hanako Yamada").network.vpc_name
    first.evidence("network")
    again = open_as("ＨＡＮＡＫＯ　yamada")
    assert name not in read_sheet(again)
    assert again.journal().mark("network") == "ok"
    other = open_as("Hanako Yamamoto")
    for _ in range(2):  # as long as it is there
        sheet = read_sheet(other)
        assert name in sheet
        assert "learner='Hanako Yamada'" in sheet
    assert read_sheet(open_as("Hanako Yamada")).count("⚠") == 0
    course.write_text(LAB.replace("spring", "autumn"), encoding="utf-8")
    again = open_as("Hanako Yamada")
    sheet = read_sheet(again)
    assert name in sheet
    assert "course.toml" in sheet
    moved = LAB.replace("spring", "autumn") + 'regions = ["eu-west-1"]\n'
    course.write_text(moved, encoding="utf-8")
    assert name in read_sheet(open_as("Hanako Yamada"))
    again.cleanup(confirm="delete")
    assert read_sheet(again).count("⚠") == 0


class OnlyIn:
    """Refuses each call in another Region, as the policy of a course's learner does."""

    def __init__(self, region: str) -> None:
        self._region = region

    def attach(self, session: Any) -> None:
        session.register("before-call", self._before)

    def _before(self, context: Any, **_: Any) -> Any:
        refusal = Refusal("AccessDeniedException", status=403)
        return None if context["client_region"] == self._region else reply(refusal)


def test_a_policy_for_ones_own_region_stops_no_start_and_no_later_warning(
    home: Path, emulator: Running, course: Path
) -> None:
    def open_in(region: str) -> Workshop:
        course.write_text(f'{LAB}regions = ["{region}"]\n', encoding="utf-8")
        aws = hooks.connect(emulator, OnlyIn(region)).in_region(region)
        return open_workshop(home, ways={"connect": lambda _settings: Connection(aws)})

    held = open_in("eu-west-1")
    assert read_sheet(held).count("⚠") == 0
    held.ensure_cluster()
    assert read_sheet(open_in("eu-west-2")).count("⚠") == 0  # nobody can look
    assert derive(course, "Hanako").cluster in read_sheet(
        open_workshop(home, endpoint_url=emulator.endpoint)
    )


LEARNERS = ("Aiko Ito", "山田 花子", "s03")
REGIONS = ("us-east-1", "ap-northeast-1")


@pytest.fixture
def class_course(tmp_path: Path) -> Path:
    path = tmp_path / "course.toml"
    regions = ", ".join(f'"{region}"' for region in REGIONS)
    path.write_text(f"{LAB}regions = [{regions}]\n", encoding="utf-8")
    return path


def open_class(folder: Path, course: Path, emulator: Running) -> dict[str, Workshop]:
    """Return the workshops of three learners in one account."""
    opened = {}
    for number, name in enumerate(LEARNERS):
        own = folder / f"learner-{number}"
        (own / "work").mkdir(parents=True)
        where = {"endpoint_url": emulator.endpoint, "hand_in": str(own / "work")}
        opened[name] = open_workshop(own / "home", learner=name, course=str(course), **where)
    return opened


def finish_own(held: Workshop, own: Exercise, shop: Path) -> str:
    """Do what the notebooks ask for, with the values of the sheet; return what was shown."""
    form = own.network
    shown = [held.predict("route-tables", 2), held.push_commands(context=shop, tag="1.0.0")]
    shown += [held.ensure_network(name=form.name, cidr=form.cidr)]
    shown += [held.ensure_cluster(name=own.cluster), held.ensure_repository(name=own.repository)]
    held.push_image(held.build_image(shop, tag="1.0.0"))
    shown += [held.tag_image(tag="latest", image="1.0.0"), held.record_image_uri(tag="1.0.0")]
    shown += [held.questions("public", "cost", "other-region"), held.draw(goal=True)]
    return "\n".join(map(repr, shown))


def grade(folder: Path, course: Path, zips: dict[str, Path]) -> dict[str, Any]:
    """Return the results by learner, of zips that are handed in under these names."""
    for name, path in zips.items():
        (folder / name).mkdir(parents=True)
        shutil.copy(path, folder / name)
    read = read_course(course, known_regions=settings.list_regions())
    roster = Roster(tuple(Learner(f"n{at}", name=name) for at, name in enumerate(LEARNERS)))
    asked = Requirements(course=read, roster=roster)
    graded = grade_class([folder], asked, workers=1)
    return {result.learner.name: result for result in graded.results}


def test_three_learners_of_one_account_go_through_the_course_and_are_graded_by_their_own(
    tmp_path: Path, emulator: Running, class_course: Path, shop: Path
) -> None:
    opened = open_class(tmp_path, class_course, emulator)
    exercises = {name: derive(class_course, name) for name in LEARNERS}
    assert {each.region for each in exercises.values()} == {*REGIONS}
    zips: dict[str, Path] = {}
    for name, held in opened.items():
        own = exercises[name]
        shown = finish_own(held, own, shop)
        assert (own.network.vpc_name in shown, own.cluster in shown) == (True, True)
        assert f"/{own.repository}:1.0.0" in shown
        assert "ecs-handson-vpc" not in shown
        assert re.search(r"rails-app(?!-)", shown) is None
        assert held.verify().failing == []
        for check in syllabus.EVIDENCE_IDS[:-1]:
            assert held.evidence(check).result.passed, check
        zips[name] = held.hand_in().path
    # What one breaks and deletes is their own.
    first, *others = opened.values()
    first.break_it(seed=6)
    assert [bool(held.verify().failing) for held in opened.values()] == [True, False, False]
    first.cleanup(confirm="delete")
    assert [len(held.verify().failing) for held in opened.values()] == [5, 0, 0]
    assert [each.overview().card().state for each in others] == ["info", "info"]

    graded = grade(tmp_path / "own", class_course, zips)
    assert {name: result.points for name, result in graded.items()} == dict.fromkeys(LEARNERS, 80)
    codes = {each.code for result in graded.values() for each in result.findings}
    assert [code for code in codes if code.startswith(("exercise", "learner", "owner"))] == []
    assert {name: result.exercise for name, result in graded.items()} == exercises

    turned = dict(zip(LEARNERS, [zips[name] for name in (*LEARNERS[1:], LEARNERS[0])], strict=True))
    swapped = grade(tmp_path / "swapped", class_course, turned)
    assert {name: result.points for name, result in swapped.items()} == dict.fromkeys(LEARNERS, 0)
    for name, whose in zip(LEARNERS, (*LEARNERS[1:], LEARNERS[0]), strict=True):
        told = {mark.objection.message for mark in swapped[name].checks}
        assert all(exercises[whose].network.name in each for each in told)
        assert all(re.search(f"{whose}.*{name}", each) for each in told)
