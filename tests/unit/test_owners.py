"""Owners: the tag that says whose a resource is, and how its value is read again."""

from __future__ import annotations

import re

import pytest

from handson.course.owners import (
    Owners,
    describe_owners,
    explain_foreign,
    list_tags,
    name_owner,
    read_name,
    read_tags,
)
from handson.course.state import Owned

PLAIN = ("Aiko", "o.b-r_i=e:n/7@x +", "x" * 80)
CODED = (
    "愛子",
    "山田 花子",
    "O'Brien",
    'Jörg (2), "x"',
    "home-office",
    "AWS:x",
    "XN--a",
    "sha256:0",
    "-愛",
)


@pytest.mark.parametrize("name", PLAIN)
def test_a_name_that_every_service_takes_is_the_owner_itself(name: str) -> None:
    assert (name_owner(name), read_name(name)) == (name, name)


@pytest.mark.parametrize("name", CODED)
def test_any_other_name_is_written_in_ascii_and_read_again(name: str) -> None:
    owner = name_owner(name)
    assert re.fullmatch("[A-Za-z0-9 +=._:/@-]+", owner)
    assert (owner[:4], read_name(owner)) == ("xn--", name)


def test_the_same_name_typed_otherwise_is_the_same_owner() -> None:
    assert {name_owner(name) for name in ("Ａｉｋｏ", " Aiko ", "Aiko")} == {"Aiko"}
    assert (
        name_owner("山田\u3000 花子")
        == name_owner("山田 花子")
        == "xn--" + "山田 花子".encode("punycode").decode()
    )
    assert (name_owner(""), name_owner(" ")) == ("", "")


def test_a_resource_is_tagged_with_its_owner_if_there_is_one() -> None:
    assert list_tags("") == {"handson": "ecs-handson"}
    assert list_tags("Aiko") == {"handson": "ecs-handson", "handson-owner": "Aiko"}


def test_a_name_too_long_for_a_tag_is_a_digest() -> None:
    long = "".join(chr(0x20000 + 997 * n) for n in range(80))
    owner = name_owner(long)
    assert (owner.partition(":")[0], len(owner), read_name(owner)) == ("sha256", 71, owner)


@pytest.mark.parametrize("value", ["xn--é", "xn--\ud800", "xn--99999999", "a\nb" + "c" * 300])
def test_a_value_of_somebody_else_is_shown_on_one_short_line(value: str) -> None:
    shown = read_name(value)
    assert shown.isprintable()
    assert len(shown) <= 121


# Tags; is it another learner's, may clean-up delete it on a shared account, on one's own.
TAG = {"handson": "ecs-handson"}
CASES = {
    "own": ({**TAG, "handson-owner": "Aiko"}, (False, True, True)),
    "of the own home": ({**TAG, "handson-owner": "home-1"}, (False, True, True)),
    "another's": ({**TAG, "handson-owner": "Bunta"}, (True, False, True)),
    "nobody's": (TAG, (False, False, True)),
    "by hand": ({"handson-owner": "Bunta"}, (False, False, False)),
    "of another tool": ({"handson": "other", "handson-owner": "Aiko"}, (False, False, False)),
}


@pytest.mark.parametrize("name", CASES)
def test_the_tags_say_whose_a_resource_is(name: str) -> None:
    tags, expected = CASES[name]
    shared, own, item = Owners("Aiko", ("Aiko", "home-1")), Owners("Aiko"), Owned(**read_tags(tags))
    assert (
        shared.is_foreign(item),
        shared.may_delete(item, "x"),
        own.may_delete(item, "x"),
    ) == expected
    assert not own.is_foreign(item)
    taken = Owners("Aiko", ("Aiko",), {"x"})
    assert taken.may_delete(item, "x") == (name in ("own", "nobody's"))


def test_the_way_on_is_a_region_or_the_name_used_then_as_a_text_of_python() -> None:
    problem, remedy = explain_foreign("rails-app", name_owner('x"); f("'), region="us-east-1")
    assert "rails-app" in problem
    assert "HANDSON_REGION=ap-northeast-1" in remedy
    assert r'handson.start(learner="x\"); f(\"")' in remedy
    assert "HANDSON_HOME" in explain_foreign("rails-app", "home-0123", region="ap-northeast-1")[1]
    assert describe_owners("Bunta", "xn--i8sr8k", "Bunta") == "Bunta, 愛子"
