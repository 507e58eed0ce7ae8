"""Break it and mend it: each breakage turns its own facts false, and its last hint mends it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from handson.aws import emulator as room
from handson.core import messages
from handson.core.errors import HandsonError, InvalidInput, NotReady
from handson.core.progress import ignore_progress
from handson.course.exercise import Exercise
from handson.course.state import Snapshot
from handson.notebook.workshop import Workshop
from handson.practice.breakages import choose_breakage, describe_breakage
from handson.practice.incident_cards import RepairReport
from handson.practice.incidents import Drill, forget_incident
from tests.conftest import FULL
from tests.emulator import harmless_variants, judging, wrong_states
from tests.emulator.hooks import Inside, StopAt, Stopped, connect, reset
from tests.emulator.learner import OWN_TAG, Learner, Quiet, making_cells
from tests.emulator.workshops import finish, open_workshop
from tests.notebooks.book import FOLDER

pytestmark = pytest.mark.emulator

NO_CLUSTER = {"cluster.exists", "cluster.active", "cluster.fargate", "cluster.instances"}
# By seed: the facts that break, and how the checks tell the cause (`*` stands for ids).
BREAKS: dict[int, tuple[set[str], str]] = {
    0: ({"image.platform"}, "イメージは linux/arm64 用です。*"),
    1: ({"routes.default"}, "*ルートテーブル *に、*0.0.0.0/0 を*ルートがありません。"),
    2: ({"cluster.fargate"}, "*キャパシティープロバイダーに FARGATE がありません。"),
    3: ({"gateway.attached", "routes.default"}, "*ゲートウェイがアタッチされていません。*"),
    4: ({"uri.region"}, "イメージ URI は ap-northeast-1、クラスターは us-east-1 *"),
    5: ({"names"}, "* の名前は「*」ですが、コンソールが付ける名前は ecs-handson-vpc です。"),
    6: ({"uri.resolves"}, "タグ latest は、URI を記録したあとに別のイメージへ移りました*"),
    7: ({"names"}, "ecs-handson-vpc という名前の VPC が 2 つ以上あります: *"),
    8: (NO_CLUSTER, "*「ecs-handson-clustr」で、ecs-handson-cluster ではありません。*"),
    9: ({"routes.default"}, "サブネット *(*public2*)がパブリックのルートテーブルに関連付け*"),
    10: ({"image.unique-tag"}, "*固有のタグが latest のほかにありません。*"),
    11: ({"vpc.dns"}, "VPC * の DNS 解決が無効です。"),
    12: ({"subnets.zones"}, "サブネット *同じアベイラビリティーゾーン us-east-1a *"),
    13: ({"routes.default"}, "*ルート 0.0.0.0/0 は igw-* に向いていますが*"),
}
SEEDS = tuple(BREAKS)
MADE_BY = ("01-network", "02-cluster", "03-image")
TAG = "1.0.0"  # in the notebooks
BUILT_AGAIN = {0, 4}
"""The seeds that are mended by running notebooks again, past cells that are refused."""
SOME = (0, 1, 2, 4, 6)
"""A seed of each kind of cause: what refuses to build asks for the kind alone."""


@pytest.fixture(scope="module")
def kept(inside: Inside, tmp_path_factory: pytest.TempPathFactory) -> Learner:
    """Return a learner whose connections are kept from test to test."""
    return Learner(inside, tmp_path_factory.mktemp("learner") / "home")


@pytest.fixture
def learner(kept: Learner) -> Learner:
    """Return a learner who has finished the workshop, and broken nothing yet."""
    return begun(kept)


def begun(learner: Learner) -> Learner:
    learner.finish()
    forget_incident(learner.home)
    return learner


def again(learner: Learner) -> Workshop:
    """Return what a restarted kernel holds: another workshop of the same home folder."""
    chosen = replace(learner.workshop.settings, engine="builtin")
    return Workshop(chosen, progress=Quiet(), show=ignore_progress)


def false_facts(learner: Learner) -> set[str]:
    """Return the false facts; whether an image was seen running is told of that image alone."""
    return judging.false_facts(learner.verify()) - {"image.runnable"}


def lead_out(learner: Learner) -> None:
    """Put the default route back where seed 1 has taken it away, by its single call."""
    learner.add_route(wrong_states.public_table(learner))


def run_on(learner: Learner, notebook: str) -> list[str]:
    """Run the cells of a notebook that make something, past errors; return their remedies."""
    refused, names = [], {"workshop": learner.workshop}
    for cell in making_cells(notebook):
        with contextlib.chdir(FOLDER):
            try:
                exec(cell, names)
            except HandsonError as error:
                refused.append(error.remedy)
            except NameError:  # an earlier cell was refused
                pass
    return refused


def mend(learner: Learner) -> RepairReport:
    """Do what the last hint says, look, and so on."""
    for _ in range(3):
        diagnosis = learner.workshop.hint(3).diagnosis
        assert diagnosis is not None
        learner.follow(diagnosis.remedy)
        found = learner.workshop.mended()
        for _, remedy in found.leftovers:
            learner.follow(remedy)
            found = learner.workshop.mended()
        if found.passed:
            break
    return found


def nothing_to_mend(*verbs: Callable[[], object]) -> None:
    for verb in verbs:
        with pytest.raises(NotReady, match="いま直すものはありません"):
            verb()


def foreign(seen: Snapshot) -> Any:
    """Return what does not carry the tag, and the images of other repositories."""
    images = [each for each in seen.images if each.repository != "rails-app"]
    made = (*seen.vpcs, *seen.clusters, *seen.repositories)
    return [each for each in made if not each.tagged], images


@pytest.mark.parametrize("seed", SEEDS)
def test_a_breakage_turns_its_facts_false_and_its_last_hint_mends_it(
    learner: Learner, seed: int
) -> None:
    facts, cause = BREAKS[seed]
    harmless_variants.add_clusters(learner)
    harmless_variants.add_repositories(learner)
    learner.ec2.create_vpc(CidrBlock="10.0.0.0/16")
    before = learner.look()
    learner.workshop.break_it(seed=seed)
    assert facts == false_facts(learner)
    diagnosis = learner.workshop.hint(3).diagnosis
    assert diagnosis is not None
    assert fnmatchcase(diagnosis.message, cause), diagnosis.message
    assert mend(learner).passed
    after = learner.look()
    assert foreign(before) == foreign(after)
    kept = learner.ecr.describe_images(repositoryName="rails-app")["imageDetails"]
    assert {image.digest for image in before.images} <= {image["imageDigest"] for image in kept}


def test_an_image_that_was_built_and_pushed_is_broken_and_pushed_again(
    emulator: room.Running, home: Path, shop: Path
) -> None:
    held = open_workshop(home, endpoint_url=emulator.endpoint)
    finish(held, shop)
    for seed in (0, 6, 10):
        held.record_image_uri(tag="1.0.0")
        recorded = held.snapshot().recorded_uri
        assert recorded
        held.break_it(seed=seed)
        assert not held.mended().passed, seed
        if seed == 0:
            finish(held, shop)
        else:
            with pytest.raises(NotReady, match="作り直さずに"):
                finish(held, shop)
            held.tag_image(tag="1.0.0", image=recorded.digest)
            held.tag_image(tag="latest", image="1.0.0")
        assert held.mended().passed, seed


def test_running_the_notebooks_again_mends_two_of_the_fourteen(learner: Learner) -> None:
    mended, told = set(), {}
    for seed in SEEDS if FULL else SOME:
        begun(learner).workshop.tag_image(tag=TAG, image=OWN_TAG)
        learner.record(tag=TAG)
        learner.workshop.break_it(seed=seed)
        told[seed] = [said for name in MADE_BY for said in run_on(learner, name)]
        mended |= {seed} if learner.workshop.mended().passed else set()
    assert mended == BUILT_AGAIN
    by_network, by_uri = told[1][0], told[6][-1]
    assert 'workshop.cleanup("network", confirm="delete")' in by_network
    assert ("workshop.tag_image" in by_uri, "record_image_uri" in by_uri) == (True, False)


def empty(learner: Learner) -> None:
    """Lose all that was made, as an embedded AWS that is killed does."""
    reset(learner.running)


def clean_up_the_network(learner: Learner) -> None:
    again(learner).cleanup("network", confirm="delete")


@pytest.mark.parametrize("end", [lead_out, clean_up_the_network, empty])
def test_the_network_is_built_again_once_it_is_mended_given_up_or_lost(
    learner: Learner, end: Callable[[Learner], None]
) -> None:
    learner.workshop.break_it(seed=1)
    for verb in (learner.workshop.ensure_network, learner.workshop.ensure_repository):
        with pytest.raises(NotReady, match="seed=1"):
            verb()
    end(learner)
    assert len(learner.workshop.ensure_network().vpc.subnets) == 2


def test_what_no_single_call_mends_is_built_again(learner: Learner) -> None:
    learner.workshop.break_it(seed=3)
    gateways = learner.ec2.describe_internet_gateways()["InternetGateways"]
    [detached] = [each["InternetGatewayId"] for each in gateways if not each["Attachments"]]
    learner.ec2.delete_internet_gateway(InternetGatewayId=detached)
    learner.workshop.ensure_network()
    assert learner.workshop.mended().passed


def described(seed: int, exercise: Exercise = Exercise()) -> tuple[str, str, str]:
    return describe_breakage(choose_breakage(seed), exercise)


def test_a_seed_that_was_drawn_breaks_the_same_again_and_none_is_drawn_twice_in_a_row(
    learner: Learner,
) -> None:
    drawn = learner.workshop.break_it()
    facts = false_facts(learner)
    again_broken = begun(learner).workshop.break_it(seed=drawn.seed)
    assert (again_broken.symptom, false_facts(learner)) == (drawn.symptom, facts)
    assert str(drawn.seed) in repr(drawn)
    mend(learner)
    assert learner.workshop.break_it().symptom != drawn.symptom


def test_fourteen_seeds_in_a_row_break_fourteen_things_and_name_no_command(root: Path) -> None:
    assert len({described(seed)[0] for seed in range(100, 114)}) == len(SEEDS) == 14
    commands = ("workshop.", "aws ec2", "--", "ensure_")
    for edition, words in (("ja", "14 通り"), ("en", "14 ways")):
        path = root / "notebooks" / edition / "06-troubleshooting.ipynb"
        assert words in path.read_text(encoding="utf-8")
        messages.use(edition)
        told = {seed: " ".join(described(seed)) for seed in SEEDS}
        assert [seed for seed, said in told.items() if any(it in said for it in commands)] == []
    report, _, cause = described(10, Exercise(repository="shop", tag="v1"))
    assert ("shop:v1" in report, "v1" in cause) == (True, True)


def test_what_is_no_seed_no_step_or_no_text_is_refused_before_any_call(kept: Learner) -> None:
    tried: list[tuple[Callable[[Any], object], str, list[Any]]] = [
        (kept.workshop.mended, "文字列ではありません", [1, True, ["a"]]),
        (kept.workshop.break_it, "0 以上の整数", [-1, 1.0, "1", True]),
        (kept.workshop.hint, "1 から 3 まで", [0, 4, "1", True]),
    ]
    for verb, said, values in tried:
        for value in values:
            before = [*kept.aws.requests]
            with pytest.raises(InvalidInput, match=said):
                verb(value)
            assert kept.aws.requests == before


@wrong_states.chosen
def untag(learner: Learner, part: str) -> None:
    """Leave a part of the network as if it were made in the console."""
    ids = [each.id for each in getattr(learner.vpc, part)]
    learner.ec2.delete_tags(Resources=ids, Tags=[{"Key": "handson"}])


def immutable(learner: Learner) -> None:
    learner.ecr.put_image_tag_mutability(repositoryName="rails-app", imageTagMutability="IMMUTABLE")


REFUSED: dict[str, tuple[Callable[[Learner], object], tuple[int, ...], str]] = {
    "not finished": (wrong_states.delete_cluster, (1,), "(?s)ECS クラスター.*02-cluster"),
    "no tag on the subnets": (untag("subnets"), (9, 12), "タグ"),
    "no tag on the route tables": (untag("route_tables"), (1, 9), "タグ"),
    "no tag on the gateway": (untag("internet_gateways"), (3, 13), "タグ"),
    "immutable tags": (immutable, (0, 6, 10), "変更できない"),
    "a URI by digest": (harmless_variants.record_by_digest, (6,), "控えた URI"),
    "a service": (harmless_variants.run_a_service, (8,), "サービス"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_broken_says_why_and_is_left_alone(learner: Learner, name: str) -> None:
    make, seeds, why = REFUSED[name]
    make(learner)
    before = learner.look()
    for seed in seeds:
        with pytest.raises(NotReady, match=why):
            learner.workshop.break_it(seed=seed)
    assert learner.look() == before
    assert not (learner.home / "troubleshooting.json").exists()


def test_where_nothing_carries_the_tag_the_uri_alone_is_broken(learner: Learner) -> None:
    harmless_variants.untag_everything(learner)
    seen = learner.look()
    learner.ecs.untag_resource(resourceArn=seen.clusters[0].arn, tagKeys=["handson"])
    learner.ecr.untag_resource(resourceArn=seen.repositories[0].arn, tagKeys=["handson"])
    for seed in set(SEEDS) - {4}:
        with pytest.raises(NotReady, match="タグ"):
            learner.workshop.break_it(seed=seed)
    assert false_facts(learner) == set()
    learner.workshop.break_it()
    assert false_facts(learner) == {"uri.region"}


@pytest.mark.parametrize(("seed", "facts"), [(0, {"image.platform"}), (6, {"uri.resolves"})])
def test_all_tags_of_the_image_move_with_the_recorded_one(
    learner: Learner, seed: int, facts: set[str]
) -> None:
    learner.record(tag=OWN_TAG)
    learner.workshop.break_it(seed=seed)
    assert facts == false_facts(learner)


def test_while_one_is_broken_no_second_one_is(learner: Learner) -> None:
    learner.workshop.break_it(seed=1)
    before = learner.look()
    for seed, said in ((2, "seed=1"), (1, "壊していません")):
        second = learner.workshop.break_it(seed=seed)
        assert (second.seed, second.fresh, learner.look()) == (1, False, before)
        assert ("seed=1" in repr(second), said in repr(second)) == (True, True)


def test_hints_come_one_after_another_each_with_those_before_it_and_are_counted_once(
    learner: Learner,
) -> None:
    learner.workshop.break_it(seed=1)
    before = repr(learner.workshop.mended())
    hints = [learner.workshop.hint(step) for step in (None, None, 2, 1)]
    assert learner.workshop.mended().hints == 2
    hints += [learner.workshop.hint() for _ in range(2)]
    assert [hint.step for hint in hints] == [1, 2, 2, 1, 3, 3]
    first, second, third = (repr(hints[n]) for n in (0, 1, 4))
    assert first.splitlines()[1] in second
    assert [line for line in second.splitlines()[1:3] if line not in third] == []
    assert ["CreateRoute" in words for words in (first, second, third)] == [False, False, True]
    mended = learner.workshop.mended()
    assert mended.hints == 3
    assert ["次のヒント" in said for said in (before, repr(mended))] == [True, False]
    wrong_states.switch_dns("EnableDnsSupport")(learner)  # the last one follows what is done
    diagnosis = learner.workshop.hint(3).diagnosis
    assert (diagnosis and diagnosis.code) == "dns-support-off"


def test_where_nothing_is_broken_there_is_nothing_to_mend(learner: Learner) -> None:
    nothing_to_mend(learner.workshop.hint, learner.workshop.mended)
    for said in ("", "{", '{"seed": 1, "breakage": "of another version"}', "[]"):
        (learner.home / "troubleshooting.json").write_text(said)
        nothing_to_mend(learner.workshop.hint, learner.workshop.mended)
    assert learner.workshop.break_it(seed=1).fresh


def test_once_all_checks_pass_there_is_no_hint_and_the_next_one_is_broken(
    learner: Learner,
) -> None:
    learner.workshop.break_it(seed=1)
    lead_out(learner)
    with pytest.raises(NotReady, match="合格"):
        learner.workshop.hint()
    assert learner.workshop.mended().hints == 0
    assert learner.workshop.break_it(seed=2).fresh
    assert false_facts(learner) == {"cluster.fargate"}


def test_what_is_not_mended_yet_gives_no_cause_away_and_what_is_says_it(learner: Learner) -> None:
    learner.workshop.break_it(seed=1)
    found = learner.workshop.mended()
    given_away = [word for word in ("ルート", "VPC", "01-network") if word in repr(found)]
    assert (found.passed, given_away) == (False, [])
    assert "4/5" in repr(found)
    learner.workshop.hint(2)
    lead_out(learner)
    asked = repr(learner.workshop.mended(" "))
    expected = ("直りました", "2/3", 'workshop.mended("…")')
    assert [words for words in expected if words not in asked] == []
    assert "ルートがありません" not in asked
    said = repr(learner.workshop.mended("道が\n消えた"))
    assert [words for words in ("道が 消えた", "ルートがありません") if words not in said] == []
    again(learner).cleanup(confirm="delete")
    assert json.loads((learner.home / "causes.json").read_text()) == {"1": "道が 消えた"}


def test_another_mistake_counts_until_it_was_mended_and_not_later(learner: Learner) -> None:
    learner.workshop.break_it(seed=1)
    lead_out(learner)
    wrong_states.providers()(learner)
    assert learner.workshop.mended().passed is False
    assert mend(learner).passed
    wrong_states.delete_route(learner)
    nothing_to_mend(learner.workshop.mended, learner.workshop.hint)
    with pytest.raises(NotReady, match="まだ終わっていない"):
        learner.workshop.break_it(seed=2)


def replace_table(learner: Learner) -> None:
    """Make another route table in the place of the one whose route is gone."""
    subnets = [subnet.id for subnet in learner.vpc.subnets]
    learner.name(wrong_states.public_table(learner), "old")
    made = wrong_states.join_new_table(learner, *subnets, name="ecs-handson-rtb-public")
    learner.add_route(made)


def replace_gateway(learner: Learner) -> None:
    """Attach another internet gateway in the place of the one that was detached."""
    gateway = wrong_states.attach_gateway(learner, "ecs-handson-igw")
    wrong_states.lead(learner, GatewayId=gateway)


LEFT: dict[int, tuple[Callable[[Learner], None], str]] = {
    1: (replace_table, "ルートテーブル rtb-*が、どのサブネットにも使われないまま*"),
    3: (replace_gateway, "*インターネットゲートウェイ igw-*アタッチされないまま*"),
    5: (Learner.make_network, "*壊れた VPC vpc-*ecs-handson-vpc-old*残っています。"),
    8: (lambda me: me.run("02-cluster"), "*クラスター ecs-handson-clustr が残っています。"),
}


@pytest.mark.parametrize("seed", LEFT)
def test_what_was_broken_and_is_left_beside_a_new_one_is_told_with_what_to_do(
    learner: Learner, seed: int
) -> None:
    make, words = LEFT[seed]
    learner.workshop.break_it(seed=seed)
    make(learner)
    found = learner.workshop.mended()
    [(problem, remedy)] = found.leftovers
    assert (learner.verify().passed, found.passed) == (True, False)
    assert learner.workshop.break_it(seed=1).fresh is False
    assert fnmatchcase(problem, f"*{words}"), problem
    assert [words for words in (problem, remedy) if words not in repr(found)] == []
    learner.follow(remedy)
    assert learner.verify().passed
    if seed != 5:  # clean-up ends the exercise
        assert learner.workshop.mended().passed


def test_a_restarted_kernel_goes_on_and_evidence_stays(learner: Learner) -> None:
    learner.workshop.evidence("network")
    before = learner.workshop.journal().records
    learner.workshop.break_it(seed=1)
    learner.workshop.hint()
    path = learner.home / "troubleshooting.json"
    known = json.loads(path.read_text())
    del known["former"]
    path.write_text(json.dumps(known))
    assert again(learner).hint().step == 2
    assert again(learner).break_it().seed == 1
    lead_out(learner)
    assert again(learner).mended().passed
    assert again(learner).mended().hints == 2
    assert before == learner.workshop.journal().records


@pytest.mark.parametrize(("call", "broken"), [(1, False), (2, True)])
def test_a_kernel_that_is_killed_leaves_a_breakage_that_is_known_if_anything_broke(
    learner: Learner, call: int, broken: bool
) -> None:
    stopped = connect(learner.running, StopAt(call))
    with pytest.raises(Stopped):
        Drill(stopped, learner.home, Exercise()).break_workshop(12)
    if not broken:
        nothing_to_mend(learner.workshop.mended)
    assert learner.workshop.break_it(seed=1).fresh is not broken
    assert mend(learner).passed


def test_what_a_breakage_has_made_is_cleaned_up_and_nothing_is_broken_then(
    learner: Learner,
) -> None:
    for seed in (7, 8, 12, 13):
        learner.workshop.break_it(seed=seed)
        mend(learner)
    learner.workshop.break_it(seed=0)
    again(learner).cleanup(confirm="delete")
    seen = learner.look()
    left = [each for each in (*seen.vpcs, *seen.clusters, *seen.repositories) if each.tagged]
    assert (left, [vpc for vpc in seen.vpcs if not vpc.is_default]) == ([], [])
    assert not (learner.home / "troubleshooting.json").exists()


def test_a_clean_up_of_one_kind_forgets_what_was_broken_in_it_alone(learner: Learner) -> None:
    kept = {}
    for seed, kind in ((1, "network"), (2, "cluster"), (4, "repository")):
        begun(learner).workshop.break_it(seed=seed)
        others = [other for other in ("cluster", "network", "repository") if other != kind]
        for each in (*others, kind):
            again(learner).cleanup(each, confirm="delete")
            kept[kind, each] = (learner.home / "troubleshooting.json").exists()
    assert kept == {(kind, each): kind != each for kind, each in kept}


def test_the_notebooks_own_calls_mend_what_its_making_cells_do_not(learner: Learner) -> None:
    learner.workshop.break_it(seed=5)
    tag = {"Key": "Name", "Value": "ecs-handson-vpc"}
    [vpc] = [vpc for vpc in learner.look().vpcs if not vpc.is_default]
    learner.workshop.aws.call("ec2", "CreateTags", Resources=[vpc.id], Tags=[tag])
    assert learner.workshop.mended().passed
    learner.workshop.break_it(seed=12)
    learner.workshop.aws.call("ec2", "DeleteSubnet", SubnetId=learner.vpc.subnets[1].id)
    learner.run("01-network")
    assert learner.workshop.mended().passed


def test_the_resources_are_listed_as_they_are_and_not_judged(learner: Learner) -> None:
    for seed in (0, 1, 13):
        begun(learner).workshop.break_it(seed=seed)
        said = repr(learner.workshop.resources())
        verdicts = ("✔", "✘", "⚠", "ノートブック", "してください")
        assert [word for word in verdicts if word in said] == []
    wrong_states.instead_of_the_cluster("ecs-handson-clustr")(learner)
    said = repr(learner.workshop.resources())
    lead = [f"→ {learner.vpc.internet_gateways[0].name}" in said, "→ igw-" in said]
    words = ("ecs-handson-vpc", "ecs-handson-clustr", "rails-app", "linux/amd64", OWN_TAG)
    words += tuple(subnet.id for subnet in learner.vpc.subnets)
    assert ([word for word in words if word not in said], lead) == ([], [False, True])
    again(begun(learner)).cleanup(confirm="delete")
    said = repr(learner.workshop.resources())
    absent = [f"{noun}はありません" for noun in ("VPC ", "クラスター", "リポジトリ", "URI ")]
    assert [words for words in absent if words not in said] == []
