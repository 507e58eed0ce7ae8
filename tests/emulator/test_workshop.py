"""What notebooks hold, on the embedded AWS: its verbs, its refusals, and an AWS that was killed."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest

import handson
from handson.aws import emulator as embedded
from handson.aws.emulator import Running
from handson.core.cards import MARKS
from handson.core.errors import AWSError, HandsonError, NotAllowed, NotReady
from handson.course import checks, syllabus
from handson.course.evidence import Journal, is_intact
from handson.drawing import Diagram
from handson.notebook.workshop import Workshop
from tests.emulator.learner import TOKYO
from tests.emulator.processes import kill
from tests.emulator.workshops import finish, open_workshop, push
from tests.unit import drawn_by_learners

pytestmark = pytest.mark.emulator

Open = Callable[..., Workshop]


@pytest.fixture
def shown() -> list[Any]:
    """The cards that a workshop of `open_own` showed beside its results."""
    return []


@pytest.fixture
def open_own(home: Path, shown: list[Any]) -> Open:
    """Answer ``open_own()`` with a workshop on an embedded AWS of the test's own."""
    return partial(open_workshop, home, show=shown.append)


@pytest.fixture
def held(open_own: Open, emulator: Running) -> Workshop:
    """Return a workshop on the embedded AWS that tests share."""
    return open_own(endpoint_url=emulator.endpoint)


def own_vpcs(held: Workshop) -> list[str]:
    return [vpc.id for vpc in held.snapshot().vpcs if not vpc.is_default]


def test_doing_everything_passes_the_checks_and_doing_it_again_makes_nothing_new(
    held: Workshop, shop: Path
) -> None:
    assert [check.passed for check in held.verify().checks] == [False] * 5
    finish(held, shop)
    assert [check.id for check in held.verify().checks if not check.passed] == []
    first = held.snapshot()
    finish(held, shop)
    again = held.snapshot()
    assert (again.vpcs, again.clusters) == (first.vpcs, first.clusters)
    assert again.repositories == first.repositories
    assert push(held, shop).tag == "1.0.0"
    assert [image.tags for image in held.images().images] == [("1.0.0", "latest")]


def test_push_commands_lead_to_the_registry_and_remark_on_a_name_that_no_repository_has(
    held: Workshop, emulator: Running
) -> None:
    said = repr(held.push_commands(context="shop"))  # before there is a repository
    assert f"docker push 127.0.0.1:{emulator.port}/rails-app:latest" in said
    assert f"export AWS_ENDPOINT_URL={emulator.endpoint}" in said
    held.ensure_repository()
    held.ensure_repository("goods")
    mistyped = held.push_commands("rails-ap", context="shop")
    cards = (held.push_commands("goods", context="shop").card(), mistyped.card())
    assert [card.state for card in cards] == ["info", "warn"]
    assert '"rails-app"' in repr(mistyped)
    assert "build_image と push_image のセルが、同じ手順を" in said  # there is no engine here


def test_a_picture_is_kept_and_marks_what_was_made_and_what_is_left_to_do(held: Workshop) -> None:
    views: dict[str, Any] = {"local": "local", "local-aws": ["local", "aws"]}
    for name, chosen in views.items():
        kept = held.settings.home / "pictures" / f"{name}.svg"
        assert held.draw(chosen).svg == kept.read_text(encoding="utf-8")
    said = [cause.message for check in held.verify().checks for cause in check.diagnoses]
    assert said[0] in held.draw(goal=True).description
    before = held.snapshot()
    held.ensure_repository()
    assert "新しくできたもの: Amazon ECR。" in held.draw(since=before).description


def test_evidence_is_a_sealed_record_of_a_chain_that_names_learner_target_and_requests(
    held: Workshop, open_own: Open, emulator: Running
) -> None:
    wanted = ("123456789012", "us-east-1", emulator.endpoint, "Hanako")
    assert [word for word in wanted if word not in repr(held)] == []
    assert "受講者: Hanako" in repr(held.journal())
    held.ensure_network()
    first, second = (held.evidence(check).record for check in ("network", "cluster"))
    assert Journal(held.settings.home).records() == [first, second]
    assert [is_intact(record) for record in (first, second)] == [True, True]
    assert second.get("previous") == first["digest"]
    aws = {"kind": "emulator", "account": "123456789012", "region": "us-east-1"}
    assert first["target"] == {**aws, "endpoint": emulator.endpoint}
    asked = {request["operation"] for request in first["requests"]}
    assert {"DescribeVpcs", "DescribeSubnets", "DescribeRouteTables"} <= asked
    assert [request for request in first["requests"] if not request["request_id"]] == []
    evidence = held.evidence("network")
    data, metadata = evidence._repr_mimebundle_()
    assert (sorted(data), metadata) == (["text/html", "text/plain"], {"handson": evidence.record})
    assert "Hanako" in repr(evidence)
    shown = held.journal()  # with the last of each check
    assert (len(shown.card().parts[0].text()), shown.card().state) == (3, "warn")
    assert open_own(endpoint_url=emulator.endpoint, learner="Taro").journal().records == ()


def test_a_diagram_is_evidence_of_what_it_shows_unless_it_was_broken_off(held: Workshop) -> None:
    with contextlib.suppress(ZeroDivisionError), Diagram("broken off", show=False):
        raise ZeroDivisionError
    with pytest.raises(NotReady, match="図"):
        held.evidence("architecture")
    assert Journal(held.settings.home).records() == []
    for body, passed in ((drawn_by_learners.GOOD, True), ('ECR("images")', False)):
        shown = drawn_by_learners.draw(body)
        evidence = held.evidence("architecture")
        assert evidence.record["observed"]["drawing"] == shown.to_json()
        derived = checks.derive("architecture", evidence.record["observed"])
        assert (derived, derived.passed) == (evidence.result, passed)


def test_what_is_handed_in_is_a_zip_and_the_journal_beside_the_notebook_and_what_they_lack(
    held: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remark = "前に記録したエビデンスは合格しています"
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NotReady):
        held.hand_in()
    held.evidence("cluster")
    assert remark not in repr(held.evidence("cluster"))
    held.ensure_cluster()
    held.evidence("cluster")
    handed = held.hand_in()
    assert handed.path == tmp_path / "Hanako.zip"
    kept = (held.settings.home / "journal.jsonl").read_bytes()
    assert (tmp_path / "journal.jsonl").read_bytes() == kept
    with zipfile.ZipFile(handed.path) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {"journal.jsonl": kept}
    states = [gap.state for gap in handed.gaps]  # nothing is saved in this folder
    assert [states.count(state) for state in ("no-notebook", "missing", "unsaved")] == [3, 5, 2]
    held.cleanup(confirm="delete")
    assert remark in repr(held.evidence("cluster"))  # it takes the place of better evidence


def test_a_record_that_somebody_changed_is_shown_as_not_proven(held: Workshop) -> None:
    held.ensure_cluster()
    held.evidence("cluster")
    path = held.settings.home / "journal.jsonl"
    record = json.loads(path.read_text(encoding="utf-8"))
    for observed in ({"vpcs": 7}, None):
        path.write_text(json.dumps({**record, "observed": observed}) + "\n", encoding="utf-8")
        assert (observed, MARKS["bad"] in repr(held.journal())) == (observed, True)


def test_a_learner_is_remembered_until_another_is_named_and_each_start_shows_who_it_is(
    monkeypatch: pytest.MonkeyPatch,
    home: Path,
    emulator: Running,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("HANDSON_HOME", str(home))
    monkeypatch.setenv("HANDSON_ENDPOINT_URL", emulator.endpoint)
    given = [{"learner": "山田 花子"}, {}, {"learner": ""}, {"learner": "Taro"}]
    learners = [handson.start(**each).settings.learner for each in given]
    assert learners == ["山田 花子", "山田 花子", "山田 花子", "Taro"]
    shown = capsys.readouterr().err
    assert [shown.count(f"受講者: {name}") for name in ("山田 花子", "Taro")] == [3, 1]
    (home / "journal.jsonl").mkdir()  # which evidence cells will name
    handson.start()
    assert capsys.readouterr().err == ""


def test_a_start_that_cannot_succeed_says_what_is_missing(open_own: Open) -> None:
    with pytest.raises(AWSError) as silent:
        open_own(endpoint_url="http://127.0.0.1:9")
    assert "http://127.0.0.1:9" in silent.value.problem
    with pytest.raises(NotAllowed) as unnamed:
        open_own(target="aws")
    assert "HANDSON_AWS_ACCOUNT" in unnamed.value.remedy


def test_the_overview_counts_what_was_made_until_it_is_cleaned_up(
    held: Workshop, shop: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    finish(held, shop)
    for check in syllabus.CHECK_IDS:
        held.evidence(check)
    asked = [*held.aws.requests]
    assert "次は 05-architecture です" in repr(held.overview())
    assert held.aws.requests == asked
    held.cleanup("network", confirm="delete")
    assert "○ 99" in repr(held.overview())
    assert held.cleanup(confirm="delete").left == ()
    assert ("✔ 04 5/5" in repr(held.overview()), "✔ 99" in repr(held.overview())) == (True, True)


def test_the_start_card_tells_why_a_docker_that_was_named_is_not_used(
    open_own: Open, emulator: Running
) -> None:
    def start(engine: str) -> str:
        environ = {"HANDSON_ENGINE": engine, "DOCKER_HOST": "tcp://127.0.0.1:1"}
        return repr(open_own(endpoint_url=emulator.endpoint, environ=environ))

    told = {engine: start(engine) for engine in ("auto", "docker", "builtin")}
    packs = "本物の docker build"
    assert [engine for engine in told if packs in told[engine]] == ["auto", "builtin"]
    known = "DOCKER_HOST (tcp://127.0.0.1:1)", "unset DOCKER_HOST"
    assert [engine for engine in told if all(it in told[engine] for it in known)] == [
        "auto",
        "docker",
    ]


def refused(action: Callable[[], object]) -> HandsonError:
    with pytest.raises(HandsonError) as refusal:
        action()
    assert str(refusal.value).count("\n") == 1
    return refusal.value


def test_a_vpc_with_a_wrong_block_costs_the_network_alone(held: Workshop, shop: Path) -> None:
    held.ensure_network(cidr="8.8.0.0/16")
    held.ensure_cluster()
    push(held, shop)
    held.record_image_uri()
    uri = held.snapshot().recorded_uri
    [failing] = held.verify().failing
    call = 'workshop.cleanup("network", confirm="delete")'
    remedies = [refused(held.ensure_network).remedy, failing.diagnoses[0].remedy]
    assert [remedy for remedy in remedies if call not in remedy] == []
    assert eval(call, {"workshop": held}).left == ()  # as the remedy says
    held.ensure_network()
    assert (held.verify().failing, held.snapshot().recorded_uri) == ([], uri)
    held.cleanup("repository", confirm="delete")
    left = held.snapshot()
    assert (left.recorded_uri, left.repositories, len(own_vpcs(held))) == (None, (), 1)


def test_another_word_deletes_nothing_and_is_answered_with_the_right_one(held: Workshop) -> None:
    held.ensure_cluster()
    for kind in ("delete", "networks", "image"):
        error = refused(lambda kind=kind: held.cleanup(kind, confirm="delete"))
        assert (kind in error.problem, "cluster, network" in error.remedy) == (True, True)
    words: list[Any] = ["Delete", " delete", "del", True]
    for word in words:
        error = refused(lambda word=word: held.cleanup(confirm=word))
        assert '"delete"' in error.remedy
        assert str(word) in error.problem
    assert [cluster.status for cluster in held.snapshot().clusters] == ["ACTIVE"]


WRONG: dict[str, Callable[[Workshop], object]] = {
    "view": lambda held: held.draw("azure"),
    "network": lambda held: held.ensure_network(cidr="10.0.0.0/8"),
    "cluster": lambda held: held.ensure_cluster(name="a b"),
    "repository": lambda held: held.ensure_repository(name="Rails_App"),
    "image": lambda held: held.push_image("rails-app"),
    "context": lambda held: held.build_image(3),
    "no context": lambda held: held.build_image("../no-such-shop"),
    "check": lambda held: held.evidence("netwrk"),
    "no check": lambda held: held.evidence(cast(Any, None)),
}


def test_what_is_wrong_is_named_and_leaves_nothing(held: Workshop) -> None:
    before = held.snapshot(), sorted(held.settings.home.rglob("*"))
    errors = {name: refused(lambda wrong=wrong: wrong(held)) for name, wrong in WRONG.items()}
    assert "no-such-shop" in errors["no context"].problem
    assert 'evidence("network")' in errors["check"].remedy
    assert held.journal().records == ()
    assert (held.snapshot(), sorted(held.settings.home.rglob("*"))) == before


def test_what_comes_too_early_names_the_notebook_and_the_cell(held: Workshop, shop: Path) -> None:
    said = [(check.notebook, repr(held.evidence(check.id))) for check in syllabus.CHECKS]
    local = held.build_image(shop)
    said.append(("03-image", refused(held.images).remedy))
    early = {"ensure_repository": refused(lambda: held.push_image(local)).remedy}
    held.ensure_repository()
    early["push_image"] = refused(held.record_image_uri).remedy
    said += [*early.items(), *(("03-image", shown) for shown in early.values())]
    assert [name for name, shown in said if name not in shown] == []
    assert held.snapshot().recorded_uri is None


def test_cleaning_up_lists_then_with_the_word_leaves_only_the_evidence(
    held: Workshop, client: Callable[[str], Any], shop: Path
) -> None:
    finish(held, shop)
    client("ecs").create_cluster(clusterName="somebody-elses")
    held.evidence("cluster")
    assert "ecs-handson-vpc" in repr(held.cleanup())
    assert len(own_vpcs(held)) == 1
    assert held.cleanup(confirm="delete").left == ()
    assert held.cleanup(confirm="delete").found == ()
    left = held.snapshot()
    active = [cluster.name for cluster in left.clusters if cluster.status == "ACTIVE"]
    assert (active, left.recorded_uri) == (["somebody-elses"], None)
    assert len(held.journal().records) == 1
    finish(held, shop)
    assert held.verify().passed


def test_what_a_kill_lost_is_told_once_in_a_sentence_with_the_notebook_that_makes_it_again(
    open_own: Open, home: Path, shown: list[Any]
) -> None:
    held = open_own()
    held.ensure_network()
    held.evidence("network")
    embedded.stop_emulator(home)
    held.ensure_cluster()
    held.evidence("cluster")
    assert shown == []
    kill(embedded.find_running(home))
    held.verify()
    held.ensure_network()
    [card] = shown
    _, sentence = repr(card).splitlines()
    assert (sentence.count("。"), len(own_vpcs(held))) == (1, 1)
    label = held.verify().checks[1].label
    assert [word for word in (label, "02-cluster") if word not in sentence] == []
    assert "01-network" not in sentence  # it was saved when the embedded AWS was stopped


@pytest.mark.full
def test_a_change_of_region_loses_nothing_and_the_old_workshop_goes_on(
    open_own: Open, shop: Path, shown: list[Any]
) -> None:
    old = open_own()
    old.ensure_network()
    elsewhere = open_own(region="ap-northeast-1")
    push(elsewhere, shop)
    elsewhere.record_image_uri()
    image = elsewhere.verify().checks[3]
    assert (shown, image.id, image.passed) == ([], "image", True)
    assert (old.aws.region, len(own_vpcs(old))) == ("us-east-1", 1)


HEAVY = ("boto3", "botocore", "docker", "diagrams", "nbclient", "requests", "IPython", "rich")


def test_importing_loads_nothing_heavy(root: Path) -> None:
    modules = "handson, handson.cli, handson.notebook.workshop"
    code = f"import sys, {modules}; print(*[name for name in {HEAVY} if name in sys.modules])"
    command = [sys.executable, "-c", code]
    assert subprocess.check_output(command, env={"PYTHONPATH": str(root)}, text=True).split() == []


def test_an_image_that_is_missing_or_only_packed_is_not_run_and_a_run_is_forgotten(
    held: Workshop, shop: Path
) -> None:
    held.ensure_repository()
    with pytest.raises(NotReady, match="latest"):
        held.run_image()
    digest = push(held, shop).digest
    seen = held.run_image()
    assert held.snapshot().recorded_run is None
    assert "動かせません" in repr(seen)
    run = {"repository": "rails-app", "digest": digest, "ran_at": "x", "engine": "docker"}
    kept = held.settings.home / "image-run.json"
    kept.write_text(json.dumps({**run, "status": 200}), encoding="utf-8")
    assert held.snapshot().recorded_run is not None
    held.cleanup(confirm="delete")
    assert (held.snapshot().recorded_run, kept.exists()) == (None, False)


def test_an_image_in_another_region_is_told_at_once_and_mended_as_the_remedy_says(
    open_own: Open, shop: Path
) -> None:
    open_own().ensure_cluster()
    tokyo = open_own(region=TOKYO)
    assert 'region="us-east-1"' in repr(tokyo.overview())
    push(tokyo, shop)
    tokyo.record_image_uri(tag="1.0.0")
    wrong = tokyo.evidence("image-uri")
    assert [fact.id for fact in wrong.result.facts if not fact.passed] == ["uri.region"]
    assert '03-image のはじめのセルを region="us-east-1" に直し' in repr(wrong)
    mended = open_own(region="us-east-1")
    push(mended, shop)
    mended.record_image_uri(tag="1.0.0")
    seen = {check.id: check.passed for check in mended.verify().checks}
    assert seen == {check: check != "network" for check in seen}
    left = {(it.name, it.region) for it in mended.cleanup("repository").found}
    assert left == {("rails-app", "us-east-1"), ("rails-app", TOKYO)}


def test_undoing_a_wrong_name_costs_nothing_else(held: Workshop, shop: Path) -> None:
    finish(held, shop)
    before = held.snapshot()
    for verb in (held.ensure_cluster, held.ensure_repository):
        [(call,)] = [re.findall(r"workshop\.aws\.call\(.*?\)", repr(verb("rails-apps")))]
        exec(call, {"workshop": held})
    after = held.snapshot()
    assert [it.name for it in after.clusters if not it.is_deleted] == ["ecs-handson-cluster"]
    assert (after.repositories, after.images) == (before.repositories, before.images)
    assert [check.id for check in held.verify().checks if not check.passed] == []
