from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import settings as options
from hypothesis import strategies as st
from msgspec.structs import replace

from handson.course.state import RouteTable, Snapshot, State, Vpc
from tests.unit import states


def test_a_snapshot_comes_back_from_json_as_it_was() -> None:
    there = json.loads(json.dumps(states.finished().to_json()))
    assert Snapshot.from_json(there) == states.finished()


def test_an_empty_snapshot_comes_back_too() -> None:
    assert Snapshot.from_json(states.empty().to_json()) == states.empty()


def test_json_holds_nothing_but_plain_data() -> None:
    data = states.finished().to_json()
    assert json.loads(json.dumps(data)) == data


@given(st.builds(Vpc))
@options(max_examples=30, deadline=None, derandomize=True)
def test_any_vpc_comes_back_from_json(vpc: Vpc) -> None:
    assert Vpc.from_json(vpc.to_json()) == vpc


def changed(path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    """Return a finished snapshot's JSON with one thing in it changed."""
    data = states.finished().to_json()
    place: Any = data
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return data


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("target",), None),
        (("target", "kind"), 1),
        (("vpcs",), {}),
        (("vpcs",), "vpc"),
        (("vpcs", 1, "dns_support"), "true"),
        (("vpcs", 1, "subnets", 0, "available_addresses"), "4091"),
        (("vpcs", 1, "subnets", 0, "available_addresses"), 4091.5),
        (("clusters", 0, "container_instances"), None),
        (("images", 0, "tags"), [1]),
        (("recorded_uri",), "uri"),
    ],
)
def test_a_wrong_type_is_refused(path: tuple[Any, ...], value: Any) -> None:
    with pytest.raises(msgspec.ValidationError):
        Snapshot.from_json(changed(path, value))


@pytest.mark.parametrize("data", [None, [], "snapshot", 7, {}, {"vpcs": []}])
def test_what_describes_no_snapshot_is_refused(data: object) -> None:
    with pytest.raises(msgspec.ValidationError):
        Snapshot.from_json(data)


@pytest.mark.parametrize("kind", State.__subclasses__(), ids=lambda kind: kind.__name__)
def test_every_state_is_frozen(kind: type[State]) -> None:
    assert kind.__struct_config__.frozen


@pytest.mark.parametrize("kind", State.__subclasses__(), ids=lambda kind: kind.__name__)
def test_every_state_takes_keywords_only(kind: type[State]) -> None:
    with pytest.raises(TypeError):
        kind("positional")  # type: ignore[call-arg, misc]


# What governs a subnet


def with_tables(*tables: RouteTable) -> Vpc:
    return states.vpc(route_tables=tables)


def test_a_subnets_own_table_governs_it() -> None:
    main, public = states.main_table(), states.public_table()
    assert with_tables(main, public).route_table_of(states.subnet(1).id) == public


def test_its_own_table_governs_it_wherever_it_is_listed() -> None:
    main, public = states.main_table(), states.public_table()
    assert with_tables(public, main).route_table_of(states.subnet(1).id) == public


def test_a_subnet_without_a_table_is_governed_by_the_main_one() -> None:
    main, public = states.main_table(), states.public_table(subnets=())
    assert with_tables(public, main).route_table_of(states.subnet(1).id) == main


def test_without_any_table_nothing_governs_a_subnet() -> None:
    assert with_tables().route_table_of(states.subnet(1).id) is None


def test_a_subnet_with_a_route_to_an_internet_gateway_is_public() -> None:
    assert states.vpc().is_public(states.subnet(1))


def test_a_subnet_without_such_a_route_is_not_public() -> None:
    assert not with_tables(states.main_table()).is_public(states.subnet(1))


def test_a_subnet_is_not_public_by_a_route_to_something_else() -> None:
    to_nat = replace(states.TO_GATEWAY, target="nat-0a1b2c3d4e5f60001")
    nat = states.public_table(routes=(states.LOCAL, to_nat))
    assert not with_tables(nat).is_public(states.subnet(1))


def test_a_subnet_without_a_table_is_not_public() -> None:
    assert not with_tables().is_public(states.subnet(1))
