"""Individual labs: each learner's values, the same everywhere, and accepted by AWS."""

from __future__ import annotations

from collections import Counter
from ipaddress import IPv4Network
from math import expm1
from pathlib import Path

import pytest
from msgspec.structs import replace

from handson.aws import settings
from handson.core.errors import InvalidInput
from handson.course import rules
from handson.course.course import Course, read_course
from handson.course.exercise import Exercise
from handson.course.variation import LETTERS, PARTS, SUFFIX_LENGTH, Variation

SPRING = Variation(key="spring 2026", regions=("us-east-1", "ap-northeast-1", "eu-west-1"))
PRIVATE = [IPv4Network(block) for block in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")]


def test_the_values_of_a_name_never_change() -> None:
    """Graders, notebooks and policies of all versions have to agree."""
    assert SPRING.derive_exercise("Hanako Yamada") == replace(
        Exercise(),
        region="eu-west-1",
        network=replace(Exercise().network, name="ecs-handson-tynxqhtmp", cidr="10.9.192.0/20"),
        cluster="ecs-handson-tynxqhtmp-cluster",
        repository="rails-app-tynxqhtmp",
    )
    assert Course().derive_exercise("Hanako Yamada") == Exercise()
    forged = SPRING.derive_exercise("\ud800")  # which no file can hold
    assert forged == SPRING.derive_exercise("?")


def test_width_case_and_spaces_of_a_name_do_not_matter_and_its_letters_do() -> None:
    same = ("Hanako Yamada", " HANAKO  yamada", "Ｈａｎａｋｏ　Ｙａｍａｄａ", "hanakoyamada")
    assert len({SPRING.derive_exercise(name) for name in same}) == 1
    assert (
        len({SPRING.derive_exercise(name) for name in ("山田 花子", "山田花子", "山田　花子")}) == 1
    )
    others = ("Hanako Yamada", "Hanako Yamamoto", "Yamada Hanako", "Hanako-Yamada", "s07", "s08")
    assert len({SPRING.derive_exercise(name).network.name for name in others}) == len(others)


def test_only_what_varies_differs_and_another_key_gives_other_values() -> None:
    usual, whole = Exercise(), SPRING.derive_exercise("Hanako")
    bare = Variation(key=SPRING.key, vary=("prefix",)).derive_exercise("Hanako")
    assert bare == replace(usual, network=replace(usual.network, name=whole.network.name))
    other = replace(SPRING, key="autumn 2026").derive_exercise("Hanako")
    assert whole.network.name != other.network.name
    assert whole.repository.removeprefix("rails-app-") in whole.cluster


def test_a_region_that_is_added_moves_only_the_learners_who_get_it() -> None:
    names = [f"s{number:03}" for number in range(300)]
    before = {name: SPRING.derive_exercise(name) for name in names}
    turned = replace(SPRING, regions=("sa-east-1", *reversed(SPRING.regions)))
    after = {name: turned.derive_exercise(name) for name in names}
    moved = {after[name].region for name in names if after[name] != before[name]}
    assert moved == {"sa-east-1"}
    assert min(Counter(each.region for each in after.values()).values()) > 300 / 4 / 2


def test_ten_thousand_learners_have_prefixes_of_their_own_and_values_that_aws_accepts() -> None:
    known, usual = settings.list_regions(), Exercise()
    prefixes = set()
    for number in range(10_000):
        own = SPRING.derive_exercise(f"learner {number}")
        prefixes.add(own.network.name)
        rules.check_network_form(own.network, usual=usual.network)
        rules.check_cluster_name(own.cluster)
        rules.check_repository_name(own.repository)
        rules.check_region(own.region, known)
        block = rules.check_vpc_cidr(own.network.cidr)
        assert 16 <= block.prefixlen <= 20
        assert any(map(block.subnet_of, PRIVATE))
        assert str(block)[:7] not in ("172.17.", "172.31.")
    assert len(prefixes) == 10_000
    # The birthday bound of two equal ones among them.
    assert -expm1(-(10_000**2) / 2 / len(LETTERS) ** SUFFIX_LENGTH) < 1e-4


def read_exercise(folder: Path, text: str) -> Variation | None:
    path = folder / "course.toml"
    path.write_text(f'name = "Step 2"\n[exercise]\n{text}', encoding="utf-8")
    return read_course(path, known_regions=settings.list_regions()).exercise


MISTAKES = [
    ('vary = ["prefix"]', 2, "key"),
    ('key = " "', 2, "key"),
    ("key = 7", 3, "key"),
    ('key = "a"\nvary = ["prefix", "cdir"]', 4, "cidr"),
    ('key = "a"\nvary = ["cidr"]', 4, '"prefix"'),
    ('vary = ["cidr"]\nkey = "a"', 3, '"prefix"'),
    ('key = "a"\nregions = ["us-east-1", "us-eas-1"]', 4, "us-east-1"),
    ('key = "a"\nregions = ["ap-northeast-1a"]', 4, "ap-northeast-1"),
    ('key = "a"\nregions = ["us-gov-west-1"]', 4, "標準のパーティション"),
    ('key = "a"\nregions = "us-east-1"', 4, "regions"),
    ('key = "a"\nregion = ["us-east-1"]', 4, "region"),
]
"""The text of a table, the line in the file that is wrong, and what has to be said."""


@pytest.mark.parametrize(("text", "line", "said"), MISTAKES)
def test_a_mistake_in_the_table_is_told_with_its_line(
    text: str, line: int, said: str, tmp_path: Path
) -> None:
    with pytest.raises(InvalidInput, match=rf"course\.toml:{line} \(") as caught:
        read_exercise(tmp_path, text)
    assert said in str(caught.value)


def test_what_the_table_leaves_out_is_all_parts_and_the_workshops_region(tmp_path: Path) -> None:
    assert read_exercise(tmp_path, 'key = "a"') == Variation(key="a", vary=PARTS, regions=())
    assert Variation(key="a").derive_exercise("Hanako").region == Exercise().region
