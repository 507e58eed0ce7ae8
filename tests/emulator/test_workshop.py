"""What notebooks hold, on the embedded AWS: its verbs, its refusals, and an AWS that was killed."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

import handson
from handson.aws import emulator as embedded
from handson.aws import settings
from handson.aws.emulator import Running
from handson.core.cards import MARKS, Displayable
from handson.core.errors import AWSError, HandsonError, InvalidInput, NotAllowed, NotReady
from handson.core.progress import ProgressLine, ignore_progress
from handson.core.waiting import wait_until
from handson.course import checks, syllabus
from handson.course.evidence import Journal, is_intact
from handson.drawing import Diagram
from handson.notebook import doctor
from handson.notebook.workshop import Workshop
from tests.unit import drawn_by_learners

pytestmark = pytest.mark.emulator

SECRETS = ("handson-not-a-secret", "authorizationToken", "X-Amz-Signature", "password")


class Told:
    """Progress that keeps what was said, and may do something when it is."""

    def __init__(self, when_told: Callable[[str], None] = ignore_progress) -> None:
        self.sentences: list[str] = []
        self._when_told = when_told

    def line(self, label: str) -> ProgressLine:
        return self

    def __call__(self, sentence: str) -> None:
        self._when_told(sentence)
        self.sentences.append(sentence)

    def done(self, sentence: str) -> None:
        self.sentences.append(sentence)


class Room:
    """A workshop, what it showed beside its results, and what it said of its progress."""

    def __init__(self, chosen: settings.Settings, told: Told | None = None) -> None:
        self.shown: list[Displayable] = []
        self.told = told or Told()
        self.workshop = Workshop(chosen, progress=self.told, show=self.shown.append)

    @property
    def news(self) -> list[str]:
        return [repr(card) for card in self.shown]


Open = Callable[..., Room]


@pytest.fixture
def open_own(home: Path) -> Open:
    """Answer ``open_own()`` with a workshop on an embedded AWS of the test's own."""

    def opener(*, told: Told | None = None, **given: Any) -> Room:
        environ = {"HANDSON_HOME": str(home), "HANDSON_ENGINE": "builtin", **os.environ}
        return Room(settings.read_settings(environ, cwd=home.parent, **given), told)

    return opener


@pytest.fixture
def room(open_own: Open, emulator: Running) -> Room:
    """Return a workshop on the embedded AWS that tests share: nobody may kill it."""
    return open_own(endpoint_url=emulator.endpoint, learner="Hanako")


@pytest.fixture
def held(room: Room) -> Workshop:
    return room.workshop


def finish(held: Workshop, shop: Path) -> None:
    """Do what the notebooks do, up to the recorded URI."""
    held.ensure_network()
    held.ensure_cluster()
    push(held, shop)
    held.record_image_uri()


def push(held: Workshop, shop: Path) -> Any:
    held.ensure_repository()
    return held.push_image(held.build_image(shop))


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)

    def alive() -> bool:
        try:
            return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    wait_until(alive, done=lambda seen: not seen, what="end", timeout=10)


def kill_own(home: Path) -> None:
    running = embedded.find_running(home)
    assert running is not None
    kill(running.pid)


def own_vpcs(held: Workshop) -> list[str]:
    return [vpc.id for vpc in held.snapshot().vpcs if not vpc.is_default]


# From the first verb to the last


def test_the_five_checks_pass_when_everything_is_made(held: Workshop, shop: Path) -> None:
    finish(held, shop)
    failed = [check.id for check in held.verify().checks if not check.passed]
    assert failed == []


def test_nothing_passes_before_anything_is_made(held: Workshop) -> None:
    assert [check.passed for check in held.verify().checks] == [False] * 5


def test_doing_everything_again_makes_nothing_new(held: Workshop, shop: Path) -> None:
    finish(held, shop)
    before = held.snapshot()
    finish(held, shop)
    after = held.snapshot()
    assert (after.vpcs, after.clusters, after.repositories) == (
        before.vpcs,
        before.clusters,
        before.repositories,
    )


def test_an_image_gets_the_tag_that_was_asked_for_and_one_of_its_own(
    held: Workshop, shop: Path
) -> None:
    tags = push(held, shop).tags
    assert (len(tags), "latest" in tags) == (2, True)


def test_a_pushed_image_is_listed_under_its_tags(held: Workshop, shop: Path) -> None:
    pushed = push(held, shop)
    assert set(held.images().images[0].tags) == set(pushed.tags)


def test_push_commands_lead_to_the_registry_that_answers(held: Workshop, emulator: Running) -> None:
    said = repr(held.push_commands(context="shop"))
    assert f"docker push 127.0.0.1:{emulator.port}/rails-app:latest" in said
    assert f"export AWS_ENDPOINT_URL={emulator.endpoint}" in said


def test_a_long_verb_ends_its_progress_as_a_sentence(room: Room) -> None:
    room.workshop.ensure_cluster()
    assert room.told.sentences[-1] == "終わりました。"


def test_the_card_says_where_and_who(held: Workshop, emulator: Running) -> None:
    said = repr(held)
    seen = [word in said for word in ("123456789012", "us-east-1", emulator.endpoint, "Hanako")]
    assert seen == [True] * 4


def test_a_picture_is_kept_in_the_home_folder(held: Workshop) -> None:
    picture = held.draw("local")
    kept = held.settings.home / "pictures" / "local.svg"
    assert kept.read_text(encoding="utf-8") == picture.svg


def test_two_views_are_kept_as_one_picture(held: Workshop) -> None:
    picture = held.draw(["local", "aws"])
    kept = held.settings.home / "pictures" / "local-aws.svg"
    assert kept.read_text(encoding="utf-8") == picture.svg


def test_a_picture_marks_what_a_cell_has_made(held: Workshop) -> None:
    before = held.snapshot()
    held.ensure_repository()
    drawn = held.draw(since=before)
    assert "新しくできたもの: Amazon ECR。" in drawn.description


def test_a_picture_marks_what_is_left_to_do(held: Workshop) -> None:
    said = [cause.message for check in held.verify().checks for cause in check.diagnoses]
    drawn = held.draw(goal=True).description
    assert [message for message in said[:1] if message not in drawn] == []


def test_the_base_image_of_the_settings_is_given_to_the_build(
    open_own: Open, emulator: Running, shop: Path
) -> None:
    held = open_own(endpoint_url=emulator.endpoint, base_image="scratch").workshop
    (shop / "Dockerfile").write_text("ARG BASE_IMAGE=ruby:3.4\nFROM ${BASE_IMAGE}\nCOPY . /srv\n")
    assert held.build_image(shop).tags


def test_push_commands_of_a_repository_that_is_not_there_say_so(held: Workshop) -> None:
    held.ensure_repository()
    said = held.push_commands("rails-ap", context="shop")
    assert (said.card().state, '"rails-app"' in repr(said)) == ("warn", True)


def test_push_commands_of_a_repository_of_ones_own_are_shown_without_a_remark(
    held: Workshop,
) -> None:
    held.ensure_repository("goods")
    assert held.push_commands("goods", context="shop").card().state == "info"


def test_push_commands_can_be_read_before_there_is_a_repository(held: Workshop) -> None:
    assert held.push_commands(context="shop").card().state == "info"


# Evidence


def test_evidence_is_kept_in_the_journal(held: Workshop) -> None:
    record = held.evidence("network").record
    assert Journal(held.settings.home).records() == [record]


def test_evidence_is_sealed(held: Workshop) -> None:
    assert is_intact(held.evidence("network").record)


def test_evidence_makes_a_chain(held: Workshop) -> None:
    first, second = held.evidence("network").record, held.evidence("cluster").record
    assert second.get("previous") == first["digest"]


@pytest.mark.parametrize("check", syllabus.CHECK_IDS)
def test_the_verdict_is_the_one_that_anybody_derives_from_the_record(
    held: Workshop, shop: Path, check: str
) -> None:
    finish(held, shop)
    evidence = held.evidence(check)
    carried = json.loads(json.dumps(evidence.record))
    assert checks.derive(check, carried["observed"]) == evidence.result


@pytest.mark.parametrize(
    ("body", "wrong"), [(drawn_by_learners.GOOD, set()), ('ECR("images")', {"drawing.vpc"})]
)
def test_a_diagram_is_evidence_of_what_it_shows(held: Workshop, body: str, wrong: set[str]) -> None:
    shown = drawn_by_learners.draw(body)
    evidence = held.evidence("architecture")
    [record] = Journal(held.settings.home).records()
    assert record["observed"]["drawing"] == shown.to_json()
    assert is_intact(record)
    failed = {
        fact.id
        for fact in checks.derive("architecture", record["observed"]).facts
        if not fact.passed
    }
    assert wrong <= failed
    assert evidence.result.passed == (not wrong)


def test_a_diagram_that_was_not_drawn_is_no_evidence(held: Workshop) -> None:
    with contextlib.suppress(ZeroDivisionError), Diagram("broken off", show=False):
        raise ZeroDivisionError
    with pytest.raises(NotReady, match="図"):
        held.evidence("architecture")
    assert Journal(held.settings.home).records() == []


def test_a_notebook_gets_the_record_in_the_metadata(held: Workshop) -> None:
    evidence = held.evidence("network")
    data, metadata = evidence._repr_mimebundle_()
    assert (sorted(data), metadata) == (["text/html", "text/plain"], {"handson": evidence.record})


def test_a_record_names_the_requests_behind_it(held: Workshop) -> None:
    held.ensure_network()
    operations = {request["operation"] for request in held.evidence("network").record["requests"]}
    assert {"DescribeVpcs", "DescribeSubnets", "DescribeRouteTables"} <= operations


def test_every_request_has_an_id(held: Workshop) -> None:
    requests = held.evidence("network").record["requests"]
    assert [request for request in requests if not request["request_id"]] == []


def test_a_record_names_the_target(held: Workshop, emulator: Running) -> None:
    assert held.evidence("network").record["target"] == {
        "kind": "emulator",
        "account": "123456789012",
        "region": "us-east-1",
        "endpoint": emulator.endpoint,
    }


def test_no_secret_is_in_anything_that_is_kept(held: Workshop, shop: Path) -> None:
    finish(held, shop)
    for check in syllabus.CHECK_IDS:
        held.evidence(check)
    kept = [path for path in held.settings.home.glob("*.json*") if path.is_file()]
    said = "".join(path.read_text(encoding="utf-8") for path in kept)
    assert [secret for secret in SECRETS if secret in said] == []


def test_the_journal_shows_the_last_evidence_of_each_check(held: Workshop) -> None:
    held.evidence("network")
    held.ensure_cluster()
    held.evidence("cluster")
    held.evidence("network")
    assert len(held.journal().card().parts[0].text()) == 3


@pytest.mark.parametrize("noted", [True, False], ids=["with evidence", "without"])
def test_the_journal_says_whose_it_is(held: Workshop, noted: bool) -> None:
    if noted:
        held.evidence("network")
    assert "受講者: Hanako" in repr(held.journal())


def test_nothing_can_be_handed_in_before_there_is_evidence(held: Workshop) -> None:
    with pytest.raises(NotReady):
        held.hand_in()


def test_what_is_handed_in_is_the_journal_beside_the_notebook(
    held: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    held.evidence("network")
    handed = held.hand_in()
    journal = (held.settings.home / "journal.jsonl").read_bytes()
    assert ((tmp_path / "journal.jsonl").read_bytes(), handed.path) == (
        journal,
        tmp_path / "journal.jsonl",
    )


def test_what_is_handed_in_says_what_it_proves_and_what_it_lacks(
    held: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    held.ensure_cluster()
    held.evidence("cluster")
    card = repr(held.hand_in())
    assert ("5 項目のうち 1 項目" in card, card.count("✘"), "→" in card) == (True, 4, True)


def test_evidence_that_takes_the_place_of_better_evidence_says_so(held: Workshop) -> None:
    held.ensure_cluster()
    held.evidence("cluster")
    held.cleanup(confirm="delete")
    assert "前に記録したエビデンスは合格しています" in repr(held.evidence("cluster"))


def test_evidence_that_never_was_better_is_not_compared(held: Workshop) -> None:
    held.evidence("cluster")
    assert "前に記録したエビデンス" not in repr(held.evidence("cluster"))


def test_the_journal_is_not_green_where_evidence_has_not_passed(held: Workshop) -> None:
    held.evidence("cluster")
    assert held.journal().card().state == "warn"


def test_the_journal_of_another_learner_is_not_shown(
    held: Workshop, open_own: Open, emulator: Running
) -> None:
    held.evidence("network")
    other = open_own(endpoint_url=emulator.endpoint, learner="Taro").workshop
    assert other.journal().records == ()


def tamper(held: Workshop, **changes: Any) -> None:
    """Change fields of the only record in the journal, as somebody with an editor would."""
    path = held.settings.home / "journal.jsonl"
    record = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**record, **changes}) + "\n", encoding="utf-8")


@pytest.mark.parametrize("observed", [{}, {"vpcs": 7}, [], None, "passed"])
def test_a_record_that_describes_nothing_is_shown_as_not_proven(
    held: Workshop, observed: Any
) -> None:
    held.evidence("network")
    tamper(held, observed=observed)
    assert MARKS["bad"] in repr(held.journal())


def test_a_record_of_an_unknown_check_does_not_break_the_journal(held: Workshop) -> None:
    held.evidence("network")
    tamper(held, check="netwrk")
    assert repr(held.journal())


def test_a_record_that_was_changed_is_shown_as_not_proven(held: Workshop) -> None:
    held.ensure_cluster()
    held.evidence("cluster")
    tamper(held, learner="Hanako", observed_at="2020-01-01T00:00:00+00:00")
    assert MARKS["bad"] in repr(held.journal())


def test_an_evidence_cell_shows_who_saw_it(held: Workshop) -> None:
    assert "Hanako" in repr(held.evidence("network"))


# Started from the environment, as a notebook starts it


@pytest.fixture
def from_environment(
    monkeypatch: pytest.MonkeyPatch, home: Path, emulator: Running
) -> Callable[..., Workshop]:
    monkeypatch.setenv("HANDSON_HOME", str(home))
    monkeypatch.setenv("HANDSON_ENDPOINT_URL", emulator.endpoint)
    return handson.start


def test_a_learner_is_remembered_for_the_next_notebook(
    from_environment: Callable[..., Workshop],
) -> None:
    from_environment(learner="山田 花子")
    assert from_environment().settings.learner == "山田 花子"


def test_an_empty_learner_does_not_forget_the_one_before(
    from_environment: Callable[..., Workshop],
) -> None:
    from_environment(learner="山田 花子")
    assert from_environment(learner="").settings.learner == "山田 花子"


def test_an_empty_learner_does_not_hide_the_environment(
    from_environment: Callable[..., Workshop], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HANDSON_LEARNER", "Taro")
    assert from_environment(learner="").settings.learner == "Taro"


def test_an_argument_beats_what_is_remembered_and_is_remembered_instead(
    from_environment: Callable[..., Workshop],
) -> None:
    from_environment(learner="Hanako")
    from_environment(learner="Taro")
    assert from_environment().settings.learner == "Taro"


def test_another_endpoint_is_used_and_no_aws_is_started(
    from_environment: Callable[..., Workshop], home: Path
) -> None:
    from_environment().ensure_network()
    assert not (home / "emulator").exists()


def test_an_endpoint_that_does_not_answer_is_named(open_own: Open) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        with pytest.raises(AWSError) as refusal:
            open_own(endpoint_url=endpoint)
    assert endpoint in refusal.value.problem


def test_real_aws_without_an_account_is_refused(open_own: Open) -> None:
    with pytest.raises(NotAllowed) as refusal:
        open_own(target="aws")
    assert "HANDSON_AWS_ACCOUNT" in refusal.value.remedy


# Bad input: two lines, nothing created, nothing lost


def refused(action: Callable[[], object]) -> HandsonError:
    with pytest.raises(HandsonError) as refusal:
        action()
    assert str(refusal.value).count("\n") == 1
    return refusal.value


def test_a_build_context_that_is_not_there_is_named(held: Workshop) -> None:
    error = refused(lambda: held.build_image("../no-such-shop"))
    assert (type(error), "no-such-shop" in error.problem) == (InvalidInput, True)


def test_a_build_context_that_is_not_there_leaves_nothing(held: Workshop) -> None:
    before = sorted(held.settings.home.rglob("*"))
    refused(lambda: held.build_image("../no-such-shop"))
    assert sorted(held.settings.home.rglob("*")) == before


def test_a_check_that_does_not_exist_is_answered_with_the_nearest(held: Workshop) -> None:
    error = refused(lambda: held.evidence("netwrk"))
    assert 'evidence("network")' in error.remedy


@pytest.mark.parametrize("odd", [None, 7, ["network"], ""])
def test_what_is_no_name_of_a_check_is_refused_too(held: Workshop, odd: Any) -> None:
    assert isinstance(refused(lambda: held.evidence(odd)), InvalidInput)


def test_a_check_that_does_not_exist_keeps_no_evidence(held: Workshop) -> None:
    refused(lambda: held.evidence("netwrk"))
    assert held.journal().records == ()


@pytest.mark.parametrize("word", ["Delete", "yes", "DELETE", " delete", "del", 1, True])
def test_another_word_deletes_nothing(held: Workshop, word: Any) -> None:
    held.ensure_cluster()
    refused(lambda: held.cleanup(confirm=word))
    assert [cluster.status for cluster in held.snapshot().clusters] == ["ACTIVE"]


def test_another_word_is_answered_with_the_right_one(held: Workshop) -> None:
    error = refused(lambda: held.cleanup(confirm="yes"))
    assert ('"delete"' in error.remedy, "yes" in error.problem) == (True, True)


def test_a_view_that_does_not_exist_is_refused(held: Workshop) -> None:
    assert isinstance(refused(lambda: held.draw("azure")), InvalidInput)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda held: held.ensure_network(cidr="10.0.0.0/8"),
        lambda held: held.ensure_network(public_subnets=5),
        lambda held: held.ensure_network(availability_zones=3),
        lambda held: held.ensure_network(s3_endpoint="no"),
        lambda held: held.ensure_network(cird="10.0.0.0/16"),
        lambda held: held.ensure_cluster(name="a b"),
        lambda held: held.ensure_cluster(fargate=False),
        lambda held: held.ensure_cluster(fargate="on"),
        lambda held: held.ensure_cluster(ec2_instances="off"),
        lambda held: held.push_image("rails-app"),
        lambda held: held.build_image(3),
        lambda held: held.ensure_cluster(capacity_providers=("FARGATE", "FARGAT_SPOT")),
        lambda held: held.ensure_repository(name="Rails_App"),
    ],
)
def test_a_setting_that_aws_would_refuse_creates_nothing(
    held: Workshop, wrong: Callable[[Workshop], object]
) -> None:
    before = held.snapshot()
    refused(lambda: wrong(held))
    assert held.snapshot() == before


# Out of order: the notebook that comes first is named


def test_pushing_before_there_is_a_repository_names_its_cell(held: Workshop, shop: Path) -> None:
    local = held.build_image(shop)
    error = refused(lambda: held.push_image(local))
    assert ("03-image" in error.remedy, "ensure_repository" in error.remedy) == (True, True)


def test_recording_a_uri_before_pushing_names_the_cell(held: Workshop) -> None:
    held.ensure_repository()
    error = refused(held.record_image_uri)
    assert ("03-image" in error.remedy, "push_image" in error.remedy) == (True, True)


def test_recording_a_uri_before_pushing_records_none(held: Workshop) -> None:
    held.ensure_repository()
    refused(held.record_image_uri)
    assert held.snapshot().recorded_uri is None


def test_listing_images_before_there_is_a_repository_names_its_notebook(held: Workshop) -> None:
    assert "03-image" in refused(held.images).remedy


@pytest.mark.parametrize("check", syllabus.CHECK_IDS)
def test_evidence_before_anything_names_the_notebook_that_comes_first(
    held: Workshop, check: str
) -> None:
    said = repr(held.evidence(check))
    assert syllabus.find_check(check).notebook in said


# Clean-up


def test_cleaning_up_lists_and_deletes_nothing(held: Workshop) -> None:
    held.ensure_network()
    listed = held.cleanup()
    assert ("ecs-handson-vpc" in repr(listed), len(own_vpcs(held))) == (True, 1)


def test_cleaning_up_with_the_word_leaves_nothing(held: Workshop, shop: Path) -> None:
    finish(held, shop)
    assert held.cleanup(confirm="delete").left == ()
    assert held.cleanup().found == ()


def test_cleaning_up_forgets_the_recorded_uri(held: Workshop, shop: Path) -> None:
    finish(held, shop)
    held.cleanup(confirm="delete")
    assert held.snapshot().recorded_uri is None


def test_cleaning_up_keeps_the_evidence(held: Workshop) -> None:
    held.ensure_cluster()
    held.evidence("cluster")
    held.cleanup(confirm="delete")
    assert len(held.journal().records) == 1


def test_cleaning_up_leaves_what_the_workshop_did_not_make(
    held: Workshop, client: Callable[[str], Any]
) -> None:
    client("ecs").create_cluster(clusterName="somebody-elses")
    held.ensure_cluster()
    held.cleanup(confirm="delete")
    active = [item.name for item in held.snapshot().clusters if item.status == "ACTIVE"]
    assert active == ["somebody-elses"]


def test_cleaning_up_twice_is_fine(held: Workshop) -> None:
    held.ensure_cluster()
    held.cleanup(confirm="delete")
    assert held.cleanup(confirm="delete").left == ()


def test_everything_can_be_made_again_after_cleaning_up(held: Workshop, shop: Path) -> None:
    finish(held, shop)
    held.cleanup(confirm="delete")
    finish(held, shop)
    assert held.verify().passed


# An embedded AWS that was killed


def test_a_call_after_a_kill_works(open_own: Open, home: Path) -> None:
    held = open_own().workshop
    kill_own(home)
    held.ensure_network()
    assert len(own_vpcs(held)) == 1


def test_a_kill_between_two_verbs_is_told_once(open_own: Open, home: Path) -> None:
    room = open_own()
    room.workshop.ensure_network()
    kill_own(home)
    room.workshop.verify()
    room.workshop.verify()
    assert len(room.news) == 1


def test_a_kill_before_the_start_is_told_once(open_own: Open, home: Path) -> None:
    open_own()
    kill_own(home)
    told = [len(open_own().news), len(open_own().news)]
    assert told == [1, 0]


def test_what_was_lost_is_told_with_the_notebook_that_makes_it_again(
    open_own: Open, home: Path
) -> None:
    room = open_own()
    room.workshop.ensure_network()
    room.workshop.evidence("network")
    kill_own(home)
    room.workshop.verify()
    label = room.workshop.verify().checks[0].label
    seen = [word in room.news[0] for word in (label, "01-network")]
    assert seen == [True, True]


def test_what_survived_is_not_told_as_lost(open_own: Open, home: Path) -> None:
    first = open_own().workshop
    first.ensure_network()
    first.evidence("network")
    embedded.stop_emulator(home)
    room = open_own()
    room.workshop.ensure_cluster()
    room.workshop.evidence("cluster")
    kill_own(home)
    room.workshop.verify()
    assert ("01-network" in room.news[0], "02-cluster" in room.news[0]) == (False, True)


def test_the_news_is_one_sentence_under_its_title(open_own: Open, home: Path) -> None:
    room = open_own()
    kill_own(home)
    room.workshop.verify()
    _, sentence = room.news[0].splitlines()
    assert sentence.count("。") == 1


def killing(home: Path) -> Callable[[str], None]:
    """Return a listener that kills the embedded AWS at the first sentence, and never again."""
    left = [True]

    def listener(_sentence: str) -> None:
        if left.pop() if left else False:
            kill_own(home)

    return listener


def test_a_kill_in_the_middle_of_a_verb_is_two_lines(open_own: Open, home: Path) -> None:
    held = open_own(told=Told(killing(home))).workshop
    error = refused(held.ensure_network)
    assert isinstance(error, AWSError)


def test_the_verb_that_broke_off_ends_its_progress_as_a_sentence(
    open_own: Open, home: Path
) -> None:
    room = open_own(told=Told(killing(home)))
    refused(room.workshop.ensure_network)
    assert room.told.sentences[-1] == "途中で止まりました。"


def test_after_a_kill_in_the_middle_the_same_cell_completes(open_own: Open, home: Path) -> None:
    room = open_own(told=Told(killing(home)))
    refused(room.workshop.ensure_network)
    room.workshop.ensure_network()
    assert room.workshop.verify().checks[0].passed


def test_after_a_kill_in_the_middle_it_is_told_once(open_own: Open, home: Path) -> None:
    room = open_own(told=Told(killing(home)))
    refused(room.workshop.ensure_network)
    room.workshop.ensure_network()
    room.workshop.ensure_cluster()
    assert len(room.news) == 1


def test_a_graceful_stop_between_two_verbs_loses_nothing(open_own: Open, home: Path) -> None:
    room = open_own()
    room.workshop.ensure_network()
    made = own_vpcs(room.workshop)
    embedded.stop_emulator(home)
    assert (own_vpcs(room.workshop), room.news) == (made, [])


def test_a_doctor_who_finds_it_killed_tells_so(open_own: Open, home: Path) -> None:
    chosen = open_own().workshop.settings
    kill_own(home)
    told: list[Displayable] = []
    doctor.examine_machine(
        chosen, connect=lambda: Workshop(chosen, progress=Told(), show=told.append).aws
    )
    assert len(told) == 1


# Another region


def test_another_region_keeps_what_was_made(open_own: Open) -> None:
    open_own().workshop.ensure_network()
    open_own(region="ap-northeast-1")
    assert len(own_vpcs(open_own().workshop)) == 1


def test_a_push_lands_in_the_new_region(open_own: Open, shop: Path) -> None:
    push(open_own().workshop, shop)
    elsewhere = open_own(region="ap-northeast-1").workshop
    push(elsewhere, shop)
    elsewhere.record_image_uri()
    image = elsewhere.verify().checks[3]
    assert (image.id, image.passed) == ("image", True)


def test_a_change_of_region_is_no_loss(open_own: Open) -> None:
    open_own().workshop.ensure_network()
    assert open_own(region="ap-northeast-1").news == []


def test_a_workshop_of_the_old_region_goes_on(open_own: Open) -> None:
    old = open_own().workshop
    old.ensure_network()
    open_own(region="ap-northeast-1")
    assert (len(own_vpcs(old)), old.aws.region) == (1, "us-east-1")


# Two at once

MAKE = """
import handson
handson.start().ensure_network()
"""


def test_two_kernels_that_make_the_network_at_once_make_one(
    open_own: Open, home: Path, root: Path
) -> None:
    held = open_own().workshop
    environ = {**os.environ, "HANDSON_HOME": str(home), "PYTHONPATH": str(root)}
    command = [sys.executable, "-c", MAKE]
    kernels = [subprocess.Popen(command, env=environ, stderr=subprocess.DEVNULL) for _ in range(2)]
    assert [kernel.wait(timeout=60) for kernel in kernels] == [0, 0]
    assert len(own_vpcs(held)) == 1


# What an import costs

HEAVY = ("boto3", "botocore", "docker", "diagrams", "nbclient", "requests", "IPython", "rich")


@pytest.mark.parametrize("module", ["handson", "handson.cli", "handson.notebook.workshop"])
def test_importing_loads_nothing_heavy(module: str, root: Path) -> None:
    code = f"import sys, {module}; print(*[name for name in {HEAVY} if name in sys.modules])"
    said = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.split() == []


@pytest.fixture(autouse=True)
def _nothing_is_left(home: Path) -> Iterator[None]:
    yield
    with contextlib.suppress(HandsonError):
        embedded.stop_emulator(home)
    assert embedded.find_running(home) is None


def test_a_home_that_is_a_file_is_refused(open_own: Open, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(NotReady):
        open_own(home=str(tmp_path / "file"))
    assert (tmp_path / "file").read_text() == "mine"


# Running what was pushed, without an engine that runs anything


def test_an_image_that_was_only_packed_is_not_run_and_says_why(held: Workshop, shop: Path) -> None:
    push(held, shop)
    seen = held.run_image()
    assert (seen.recorded, held.snapshot().recorded_run) == (None, None)
    assert "動かせません" in repr(seen)


def test_an_image_that_is_not_there_cannot_be_run(held: Workshop) -> None:
    held.ensure_repository()
    with pytest.raises(NotReady, match="latest"):
        held.run_image()


def test_clean_up_forgets_what_was_seen_running(held: Workshop, shop: Path) -> None:
    digest = push(held, shop).digest
    run = {"repository": "rails-app", "digest": digest, "ran_at": "x", "engine": "docker"}
    kept = held.settings.home / "image-run.json"
    kept.write_text(json.dumps({**run, "status": 200}), encoding="utf-8")
    assert held.snapshot().recorded_run is not None
    held.cleanup(confirm="delete")
    assert (held.snapshot().recorded_run, kept.exists()) == (None, False)
