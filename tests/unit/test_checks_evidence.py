"""What evidence carries: the trimmed state gives the same verdict, and no JSON breaks a check."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from handson.core import messages
from handson.core.errors import InvalidInput
from handson.course import checks
from handson.course.state import Snapshot
from tests.unit import states
from tests.unit.test_checks import RIGHT, WRONG

DONE = states.finished()
CHECK_IDS = ("network", "cluster", "repository", "image", "image-uri")
quick = settings(max_examples=60)

ODD = ("", "x", "a:b", "{0}", "%s", "\n", "'; rm -rf /", "<b>", "0.0.0.0/0", "ok")
STATES = st.sampled_from([*RIGHT.values(), *(state for state, _, _ in WRONG.values())])


@st.composite
def mixtures(draw: st.DrawFn) -> Snapshot:
    """Return parts of several states of the catalogues together, with a stranger's text in one."""
    first, second, third = (draw(STATES) for _ in range(3))
    mixture = Snapshot(
        target=first.target,
        vpcs=(*first.vpcs, *second.vpcs),
        clusters=(*second.clusters, *third.clusters),
        repositories=(*third.repositories, *first.repositories),
        images=(*second.images, *third.images),
        recorded_uri=first.recorded_uri,
        recorded_run=third.recorded_run,
        elsewhere=(*second.elsewhere, *third.elsewhere),
    )
    carried = mixture.to_json()
    texts = [(holder, key) for holder, key in places(carried) if isinstance(holder[key], str)]
    holder, key = draw(st.sampled_from(texts))
    holder[key] = draw(st.sampled_from(ODD))
    return Snapshot.from_json(carried)


def places(item: Any) -> Iterator[tuple[Any, Any]]:
    """Yield each place in plain JSON data, as the holder and the key in it."""
    for key in list(item.keys() if isinstance(item, dict) else range(len(item))):
        yield item, key
        if isinstance(item[key], (dict, list)):
            yield from places(item[key])


plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
any_json = st.recursive(
    plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)


@pytest.mark.parametrize("check_id", CHECK_IDS)
@quick
@given(snapshot=mixtures())
def test_the_evidence_of_any_state_gives_the_result_of_the_state(
    check_id: str, snapshot: Snapshot
) -> None:
    trimmed = checks.trim(check_id, snapshot)
    result = checks.run_check(check_id, snapshot)
    assert checks.derive(check_id, json.loads(json.dumps(trimmed.to_json()))) == result
    assert checks.trim(check_id, trimmed) == trimmed
    explained = {id for cause in result.diagnoses for id in cause.facts}
    assert explained == {fact.id for fact in result.facts if not fact.passed}


@quick
@given(snapshot=mixtures(), language=st.sampled_from(messages.LANGUAGES))
def test_the_results_of_any_state_can_be_shown(snapshot: Snapshot, language: str) -> None:
    messages.use(language)
    verification = checks.run_checks(snapshot)
    assert json.loads(json.dumps(verification.to_json())) == verification.to_json()
    shown = repr(verification)
    assert [result.label for result in verification.checks if result.label not in shown] == []


@quick
@given(data=st.data(), check_id=st.sampled_from(CHECK_IDS), junk=any_json)
def test_a_spoilt_record_is_judged_or_refused_and_never_breaks(
    data: st.DataObject, check_id: str, junk: object
) -> None:
    carried = checks.trim(check_id, DONE).to_json()
    holder, key = data.draw(st.sampled_from(list(places(carried))))
    holder[key] = junk
    try:
        shown = repr(checks.derive(check_id, carried))
    except InvalidInput as refused:
        shown = str(refused)
    assert len(shown.splitlines()) >= 2


def hostile() -> Iterator[object]:
    yield from (None, "passed", b"{}", object(), {"passed": True, "facts": []}, {"vpcs": []})
    yield {**DONE.to_json(), "vpcs": {}}
    circle: dict[str, Any] = {"target": states.target().to_json()}
    circle["vpcs"] = [circle]
    yield circle
    nested: object = []
    for _ in range(100_000):
        nested = [nested]
    yield {"target": nested}
    spoilt = [{"container_instances": number} for number in ("0", False, 0.5, 10**6000)]
    for change in (*spoilt, {"name": 1}, {"status": "\ud800"}, {"tagged": "true"}):
        yield {**DONE.to_json(), "clusters": [{**states.cluster().to_json(), **change}]}


@pytest.mark.parametrize("check_id", CHECK_IDS)
def test_hostile_evidence_is_refused_in_two_lines(check_id: str) -> None:
    for observed in hostile():
        with pytest.raises(InvalidInput) as refused:
            checks.derive(check_id, observed)
        assert (str(refused.value).count("\n"), check_id in refused.value.problem) == (1, True)


def test_a_crowd_in_a_record_is_refused() -> None:
    def crowd(subnets: int) -> dict[str, Any]:
        vpc = states.vpc(subnets=(states.subnet(1),) * subnets)  # and two route tables
        return replace(DONE, vpcs=(vpc, states.default_vpc())).to_json()

    assert not checks.derive("network", crowd(494)).passed
    with pytest.raises(InvalidInput, match="501 VPCs, subnets and route tables"):
        checks.derive("network", crowd(495))


def test_a_verdict_written_into_the_evidence_is_not_read() -> None:
    wrong = states.with_cluster(DONE, status="FAILED")
    carried = {**checks.trim("cluster", wrong).to_json(), "passed": True, "diagnoses": []}
    assert checks.derive("cluster", carried).passed is False


OTHER = states.image(digest=states.OTHER_DIGEST, tags=("old",))
STRANGER = states.vpc(id="vpc-0other", name="production", cidr="10.9.0.0/16", tagged=False)
CROWDED = replace(
    DONE,
    vpcs=(STRANGER, *DONE.vpcs),
    clusters=(states.cluster(name="x"), *DONE.clusters),
    repositories=(states.repository(name="x"), *DONE.repositories),
    images=(OTHER, *DONE.images),
    elsewhere=states.seen_in(*CHECK_IDS),
)
BARE = Snapshot(target=DONE.target)


def test_evidence_of_a_finished_item_carries_that_item_alone() -> None:
    assert {check_id: checks.trim(check_id, CROWDED) for check_id in CHECK_IDS} == {
        "network": replace(BARE, vpcs=(states.vpc(),)),
        "cluster": replace(BARE, clusters=DONE.clusters),
        "repository": replace(BARE, repositories=DONE.repositories),
        "image": replace(
            BARE,
            images=DONE.images,
            recorded_uri=DONE.recorded_uri,
            recorded_run=DONE.recorded_run,
        ),
        "image-uri": replace(
            BARE, clusters=DONE.clusters, images=DONE.images, recorded_uri=DONE.recorded_uri
        ),
    }


def test_evidence_of_a_missing_item_carries_what_explains_it() -> None:
    near = states.cluster(name="ecs-handson-clustr")
    gone = replace(
        DONE,
        vpcs=(STRANGER, states.default_vpc(name="ecs-handson-vpc")),
        clusters=(near, states.cluster(status="INACTIVE"), states.cluster(name="zoo")),
        repositories=(*[states.repository(name="rails_app")] * 2, states.repository(name="zoo")),
        images=(states.image(repository="zoo"),),
        recorded_uri=states.recorded(uri="x"),
        elsewhere=states.seen_in(*CHECK_IDS),
    )
    carried: dict[str, dict[str, Any]] = {
        "network": {"vpcs": gone.vpcs[1:]},
        "cluster": {"clusters": (gone.clusters[1], near)},
        "repository": {"repositories": gone.repositories[:1]},
        "image": {
            "repositories": gone.repositories[:1],
            "recorded_uri": gone.recorded_uri,
        },
    }
    assert {check_id: checks.trim(check_id, gone) for check_id in CHECK_IDS} == {
        **{id: replace(BARE, **it, elsewhere=states.seen_in(id)) for id, it in carried.items()},
        "image-uri": replace(BARE, recorded_uri=gone.recorded_uri),
    }


@pytest.mark.parametrize("ending", [":latest", f"@{states.DIGEST}"])
def test_evidence_of_a_uri_carries_the_image_that_it_leads_to(ending: str) -> None:
    snapshot = states.with_uri(CROWDED, uri=states.REPOSITORY_URI + ending)
    assert checks.trim("image-uri", snapshot).images == (states.image(),)


def test_evidence_of_an_image_without_the_tag_carries_the_newest_and_the_tagged() -> None:
    new, run = states.image(tags=(), pushed_at="2026-02"), states.ran()
    bare = states.image(tags=(), digest="sha256:0", pushed_at="2025")
    seen = replace(CROWDED, images=(OTHER, bare, new), recorded_run=run)
    kept = {"recorded_uri": DONE.recorded_uri, "recorded_run": run}
    assert checks.trim("image", seen) == replace(BARE, images=(OTHER, new), **kept)


@pytest.mark.parametrize("call", [checks.run_check, checks.trim, checks.derive])
def test_a_check_that_does_not_exist_is_refused_with_the_nearest(call: Callable[..., Any]) -> None:
    messages.use("en")
    odd_ids = ("netwrok", "", "x" * 10_000, None, 1, ["network"], "imge")
    for odd, near in zip(odd_ids, [*["network"] * 6, "image"], strict=True):
        with pytest.raises(InvalidInput) as refused:
            call(odd, DONE)
        assert refused.value.problem.endswith(
            "; there are network, cluster, repository, image, image-uri, architecture."
        )
        assert refused.value.remedy == f'Write workshop.evidence("{near}").'
