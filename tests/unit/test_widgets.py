"""Forms, board and questions without a front end: what their controls do, what they show."""

from __future__ import annotations

import ast
import inspect
import operator
from collections.abc import Callable
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest

from handson.core.cards import Card, Displayable
from handson.core.errors import AWSError, HandsonError, InvalidInput
from handson.core.progress import CountedSentence
from handson.core.waiting import wait_until
from handson.course import syllabus
from handson.course.exercise import Exercise
from handson.course.state import Snapshot, Unseen
from handson.notebook import VIEW, remove_widget_views, widgets
from handson.notebook.widgets.base import ProgressBars
from handson.notebook.widgets.board import Board
from handson.notebook.widgets.form_card import FormCard
from handson.notebook.widgets.forms import FORMS
from handson.notebook.workshop import Workshop
from handson.practice import predictions, questions
from handson.resources import network
from tests.unit import states
from tests.unit.fake_aws import unauthorized
from tests.unit.fake_ec2 import FakeEc2

NOON = datetime(2026, 1, 15, 12)


class Made(Displayable):
    def card(self) -> Card:
        return Card("made", state="ok")


class Held:
    """Stands in a workshop's place: keeps what its verbs were given, and makes nothing."""

    def __init__(self, *looks: Snapshot | HandsonError, fails: Exception | None = None) -> None:
        self.looks = list(looks) or [states.finished()]
        self.fails = fails
        self.while_working: Callable[[], object] = lambda: None
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.answer = ""  # what was predicted before
        self.settings = SimpleNamespace(exercise=Exercise())
        self.region = FakeEc2()
        self.aws = self.region.connect(kind="emulator")

    def with_own_progress(self, progress: Any, *, show: Any) -> Held:
        self.progress = progress
        return self

    def snapshot(self, *, missing: Any = (), partial: bool = False) -> Snapshot:
        look = self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]
        if isinstance(look, HandsonError):
            raise look
        return look

    def questions(self, *topics: str) -> questions.Quiz:
        return questions.build_quiz(topics, self.snapshot(), Exercise())

    def predict(self, prediction: str, answer: Any = None) -> Any:
        return predictions.find_prediction(prediction, answer or self.answer or None)

    def __getattr__(self, verb: str) -> Any:
        def call(*arguments: Any, **values: Any) -> Made:
            self.calls.append((verb, values))
            self.while_working()
            self.progress.line(verb)(CountedSentence("half", done=1, whole=2))
            if self.fails:
                raise self.fails
            return Made()

        return call


def form(name: str = "network", held: Held | None = None) -> FormCard:
    """Return a form that is filled in with the settings of the exercise."""
    opened = blank_form(name, held)
    opened.fill_in(**opened.usual)
    return opened


def blank_form(name: str = "network", held: Held | None = None) -> Any:
    return widgets.form(held or Held(), name)  # type: ignore[arg-type]


def board(held: Held, **options: Any) -> Board:
    return Board(held, now=lambda: NOON, **options)  # type: ignore[arg-type]


def quiz(topic: str = "why-zones") -> Any:
    return widgets.questions(Held(), topic)  # type: ignore[arg-type]


def guess(id: str, held: Held | None = None) -> Any:
    return widgets.predict(held or Held(), id)  # type: ignore[arg-type]


def said(live: Any) -> str:
    """Return all that the HTML among a widget's controls says."""
    shown = [each for each in controls(live, "HTML") if not each._dom_classes]
    return "".join(each.value for each in shown).replace("<wbr>", "")


def inside(box: Any) -> list[Any]:
    return [each for child in getattr(box, "children", ()) for each in (child, *inside(child))]


def controls(live: Any, kind: str) -> list[Any]:
    return [each for each in inside(live.controls) if type(each).__name__ == kind]


def button(live: Any, number: int = 0) -> Any:
    return controls(live, "Button")[number]


def choose(live: Any, answer: str) -> None:
    """Choose an answer to the first question."""
    controls(live, "RadioButtons")[0].value = answer


def below(live: Any) -> str:
    return "\n".join(card.text() for card in live.below())


@pytest.mark.parametrize("name", FORMS)
def test_a_form_makes_nothing_by_itself_and_shows_the_cell_in_python(name: str) -> None:
    held = Held()
    opened = filled = form(name, held)
    assert (repr(opened) and held.calls) == []
    fields = [each for each in inside(opened.controls) if each not in controls(opened, "HTML")]
    assert all(getattr(each, "description", "-") for each in fields)
    if name != "image":
        assert {*filled.usual} <= {
            *inspect.signature(getattr(Workshop, filled.entry.verb)).parameters
        }
    hostile = {key: 'a"\\' if isinstance(v, str) else v for key, v in filled.usual.items()}
    nodes = ast.walk(ast.parse("\n".join(filled.cell(hostile))))
    assert filled.entry.verb in [node.attr for node in nodes if isinstance(node, ast.Attribute)]


def test_a_wrong_setting_is_answered_while_it_is_typed(
    monkeypatch: pytest.MonkeyPatch, root: Any
) -> None:
    monkeypatch.chdir(root / "notebooks" / "ja")
    value, exception = "InvalidParameterValue", "InvalidParameterException"
    wrong: list[tuple[str, dict[str, Any], str]] = [
        ("network", {"cidr": "10.0.0.0/8"}, "InvalidVpc.Range"),
        ("network", {"cidr": "10.0.0."}, value),
        ("network", {"private_subnets": 1}, value),
        ("network", {"tenancy": "dedicated"}, value),
        ("cluster", {"name": "my cluster"}, exception),
        (
            "cluster",
            {"ec2_instances": True},
            "このフォームの「インフラストラクチャ: EC2 インスタンス」です。",
        ),
        ("cluster", {"fargate": False}, "fargate=True"),
        ("repository", {"name": "Rails-App"}, exception),
        ("image", {"tag": "-x"}, exception),
        ("image", {"context": "nowhere"}, "nowhere"),
        ("network", {"availability_zones": 3, "public_subnets": 3}, "us-east-1a, us-east-1b"),
        ("network", {"zones": "us-east-1c"}, "availability_zones"),
    ]
    held = Held()
    zones = [{"ZoneName": f"us-east-1{letter}"} for letter in "ab"]
    held.region.answers("DescribeAvailabilityZones", {"AvailabilityZones": zones})
    for name, values, code in wrong:
        opened = form(name, held)
        before = button(opened).disabled
        opened.fill_in(**values)
        assert (values, before, button(opened).disabled) == (values, False, True)
        assert [each for each in (code, 'role="alert"') if each not in said(opened)] == []


def test_what_aws_takes_but_the_workshop_does_not_use_is_told_and_can_be_taken_back() -> None:
    opened = form()
    opened.fill_in(cidr="10.0.0.0/8")
    opened.fill_in(name="shop", cidr="10.8.0.0/16")
    assert not button(opened).disabled
    assert "shop-subnet-public2-us-east-1b" in said(opened)
    assert "10.8.16.0/20" in said(opened)
    button(opened, 1).click()
    assert opened.values == blank_form().values


def test_the_button_calls_the_verbs_with_what_was_filled_in(
    monkeypatch: pytest.MonkeyPatch, root: Any
) -> None:
    monkeypatch.chdir(root / "notebooks" / "ja")
    held, maker = Held(), Held()
    opened = form("repository", held)
    opened.fill_in(name="shop/rails")
    held.while_working = opened.make  # a second click does nothing
    button(opened).click()
    assert held.calls == [("ensure_repository", {"name": "shop/rails"})]
    assert below(opened) == "✔ made"
    button(form("image", maker)).click()
    assert [verb for verb, _ in maker.calls] == ["build_image", "push_image", "tag_image"]


def test_named_zones_are_previewed_written_into_the_cell_and_passed_on() -> None:
    held = Held()
    opened = form(held=held)
    assert "zones=[" not in said(opened)
    opened.fill_in(zones="us-east-1c, us-east-1b")
    told = ("public1-us-east-1c", "public2-us-east-1b", "zones=[")
    assert [words for words in told if words not in said(opened)] == []
    button(opened).click()
    [(verb, given)] = held.calls
    assert (verb, given["zones"]) == ("ensure_network", ("us-east-1c", "us-east-1b"))


def test_what_aws_answers_stands_below_and_an_interrupt_is_told_and_goes_on() -> None:
    opened = form(held=Held(fails=AWSError("It broke.", "Mend it.", code="VpcLimitExceeded")))
    button(opened).click()
    assert below(opened).splitlines()[1:] == ["  ✗ It broke. [VpcLimitExceeded]", "  → Mend it."]
    assert "✗ It broke. [VpcLimitExceeded]" in said(opened)  # beside the button, too
    opened.fill_in(name="shop")
    assert "✗ It broke." not in said(opened)
    stopped = form(held=Held(fails=KeyboardInterrupt()))  # type: ignore[arg-type]
    with pytest.raises(KeyboardInterrupt):
        stopped.make()
    assert "途中で止まりました" in below(stopped)
    assert (button(opened).disabled, button(stopped).disabled) == (False, False)


def test_what_exists_is_told_before_the_button_and_again_after_it() -> None:
    held, usual = Held(), Exercise().network
    opened = form(held=held)
    assert "11 回" in said(opened)
    held.while_working = lambda: network.ensure_network(held.aws, usual)
    button(opened).click()
    opened.fill_in(private_subnets=2)
    assert "足りないものだけを作ります" in said(opened)
    assert "AWS を 7 回" in said(opened)
    opened.fill_in(cidr="10.8.0.0/16", private_subnets=0)
    assert "はすでにありますが、IPv4 CIDR ブロックは 10.0.0.0/16 で" in said(opened)
    assert not button(opened).disabled  # the look is of some time ago
    held.region.answers("DescribeVpcs", unauthorized("ec2:DescribeVpcs"))
    button(opened).click()
    opened.fill_in(cidr="10.9.0.0/16")
    assert "すでに何があるかは、調べられませんでした" in said(opened)
    assert "はすでにあります" not in said(opened)


def test_a_cluster_or_repository_of_that_name_is_told_and_a_missing_one_for_an_image(
    monkeypatch: pytest.MonkeyPatch, root: Any
) -> None:
    monkeypatch.chdir(root / "notebooks" / "ja")
    held = Held()
    assert "リポジトリ rails-app がまだありません" in said(form("image", held))
    arn = "arn:aws:ecs:us-east-1:112233445566:cluster/ecs-handson-cluster"
    held.region.answers("ListClusters", {"clusterArns": [arn]})
    for status, exists in (("ACTIVE", True), ("INACTIVE", False)):
        there = {"clusterName": "ecs-handson-cluster", "clusterArn": arn, "status": status}
        held.region.answers("DescribeClusters", {"clusters": [there]})
        assert ("この名前のものがもうありました" in said(form("cluster", held))) == exists
    uri = "112233445566.dkr.ecr.us-east-1.amazonaws.com/rails-app"
    kept = {"repositoryName": "rails-app", "repositoryUri": uri, "repositoryArn": "arn:rails-app"}
    kept["registryId"] = "112233445566"
    held.region.answers("DescribeRepositories", {"repositories": [kept]})
    held.region.answers("ListTagsForResource", {"tags": []})
    assert "この名前のものがもうありました" in said(form("repository", held))
    assert "リポジトリ rails-app がまだありません" not in said(form("image", held))


def test_without_its_kernel_a_form_is_the_card_of_what_was_filled_in() -> None:
    opened = form()
    opened.fill_in(cidr="10.8.0.0/16")
    [gone] = [each for each in controls(opened, "HTML") if each._dom_classes]
    told = ("handson.start() のセルを実行してから", "<td", "10.8.0.0/16", "ensure_network")
    assert [words for words in told if words not in gone.value.replace("<wbr>", "")] == []


def test_real_aws_is_told_before_the_button_and_an_unknown_form_is_refused() -> None:
    held = Held()
    held.aws = held.region.connect()
    assert "実際の AWS(us-east-1)に作られます" in repr(form(held=held))
    with pytest.raises(InvalidInput, match='"network"'):
        form("netwrok")


def test_a_form_begins_empty_shows_no_answer_and_makes_what_is_filled_in() -> None:
    for name in FORMS:
        opened = blank_form(name)
        assert [opened.values[each] for each in opened.entry.settings if opened.values[each]] == []
        assert button(opened).disabled
        told = repr(opened) + opened.card().html() + said(opened)
        texts = [opened.usual[each] for each in opened.entry.settings]
        assert [text for text in texts if isinstance(text, str) and text in told] == []
    assert {form.name for form in syllabus.FORMS} == {*FORMS} - {"image"}
    opened = blank_form()
    opened.fill_in(name="shop", cidr="10.0.0.0/16", availability_zones=2, public_subnets=2)
    assert "この設定を入力してください。プライベートサブネットの数" in said(opened)
    assert "private_subnets=…" in repr(opened)
    held = Held()
    opened = blank_form("repository", held)
    opened.fill_in(name="shop")
    button(opened).click()
    assert held.calls == [("ensure_repository", {"name": "shop"})]
    button(opened, 1).click()
    assert (opened.values, button(opened, 1).description) == ({"name": ""}, "入力を消す")


@pytest.mark.parametrize("make", [form, lambda: board(Held()), quiz, lambda: guess("main-route")])
def test_of_a_widget_a_saved_notebook_keeps_the_static_card(make: Any) -> None:
    live = make()
    data = {**live._repr_mimebundle_(), VIEW: live.controls._repr_mimebundle_()[VIEW]}
    remove_widget_views({"cells": [{"outputs": [{"data": data}]}]})
    assert data == live._repr_mimebundle_()
    assert sorted(data) == ["text/html", "text/plain"]


def test_the_board_shows_in_words_what_is_done_what_comes_next_and_what_it_cannot_see() -> None:
    seen = below(board(Held(states.finished(clusters=()))))
    assert seen.splitlines()[1:3] == [
        "  ✔ VPC とパブリックサブネット · できています · 12/12 · 01-network",
        "  ✘ Fargate の ECS クラスター · まだ終わっていません · 0/4 · 02-cluster",
    ]
    assert "次は 02-cluster です。" in seen
    refused = Unseen(service="ecs", problem="No ECS.", remedy="Allow ECS.")
    shown = below(board(Held(states.finished(clusters=(), unseen=(refused,)))))
    assert "  ⚠ Fargate の ECS クラスター · 確認できませんでした · – · 02-cluster" in shown


def test_the_board_turns_green_when_it_looks_again_and_tells_a_look_that_fails() -> None:
    failure = AWSError("No answer.", "Try again.")
    shown = board(Held(states.empty(), states.finished(), failure))
    before = shown.below()[0].state
    button(shown).click()
    assert (before, shown.below()[0].state) == ("info", "ok")
    assert "12:00:00" in said(shown)
    shown.look()
    assert below(shown).splitlines()[1:] == ["  ✗ No answer.", "  → Try again."]


def test_the_board_watches_until_all_is_done_or_it_is_told_to_stop() -> None:
    held = Held(*[states.empty()] * 3, states.finished())
    shown = board(held, seconds=0.0)
    [switch] = controls(shown, "Checkbox")
    switch.value = True
    wait_until(lambda: switch.value, done=operator.not_, what="the end", timeout=30, interval=0.01)
    assert shown.below()[0].state == "ok"
    shown = board(Held(states.empty()), seconds=3600.0)
    looking = shown.watch()
    shown.stop()
    looking.join(30)
    assert not looking.is_alive()


def test_a_checked_choice_is_answered_counted_and_kept_in_no_file() -> None:
    asked = quiz()
    kept = asked._repr_mimebundle_()
    assert asked.check(2) == "ⓘ 選択肢を 1 つ選んでください。"
    assert "まだ答えていません(2 問)。" in said(asked)
    for letter, right in (("c", 1), ("a", 0)):
        choose(asked, letter)
        assert asked.check(1).startswith("✔ 正解です。") == bool(right)
        assert f"2 問のうち {right} 問正解" in said(asked)
    assert "AZ をまたぎません" not in said(asked)
    button(asked, 1).click()
    assert "AZ をまたぎません" in said(asked)
    first, second = controls(asked, "RadioButtons")
    assert [label[0] for label, _ in first.options] == ["✘", "b", "✔", "d"]
    assert (first.value, second.value) == ("a", None)
    assert (asked._repr_mimebundle_(), list(asked.below())) == (kept, [])


def test_a_prediction_is_chosen_and_noted() -> None:
    chosen, counted = guess("cluster-in-vpc"), guess("route-tables")
    assert chosen.answer() == "ⓘ 選択肢を 1 つ選んでください。"
    choose(chosen, "no")
    assert chosen.answer().startswith("予想: 加わらない\n控えました。")
    choose(counted, "3")
    button(counted).click()
    assert "予想: 3 つ" in said(counted)
    assert "workshop.predict(" in repr(counted)


def test_a_prediction_of_before_is_shown_and_can_be_changed() -> None:
    held = Held()
    held.answer = "3"
    again = guess("route-tables", held)
    [chosen] = controls(again, "RadioButtons")
    assert chosen.value == "3"
    assert [each.count("予想: 3 つ") for each in (said(again), repr(again))] == [1, 1]
    choose(again, "2")
    assert again.answer().startswith("予想: 2 つ")


def test_a_bar_fills_with_what_is_counted_no_more_often_than_asked_for() -> None:
    place, now = SimpleNamespace(value=""), [0.0]
    line = ProgressBars(place, interval=0.0).line("<b>")
    quarter = CountedSentence("<i>\n1 of 4", done=1, whole=4)
    for sentence, share in (("<script>", ""), (quarter, ' value="0.250"')):
        line(sentence)
        assert f'<progress max="1"{share} aria-label=' in place.value
        assert [tag for tag in ("<b>", "<script>", "<i>") if tag in place.value] == []
    line.done("It broke off.")  # a full bar would look like success
    assert ("It broke off." in place.value, "<progress" in place.value) == (True, False)
    line = ProgressBars(place, interval=1.0, clock=lambda: now[0]).line("Push")
    line("first")
    at_once = place.value
    now[0] = 2.0
    line("second")
    assert ("first" in at_once, "second" in place.value) == (False, True)
