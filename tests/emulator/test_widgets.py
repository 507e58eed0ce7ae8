"""Forms and the board on the embedded AWS: what a button makes, and that nothing else does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from handson.aws import emulator as embedded
from handson.aws.emulator import Running
from handson.course.exercise import NetworkForm
from handson.course.goal import describe_network
from handson.course.state import Vpc
from handson.notebook import widgets
from handson.notebook.widgets.forms import FORMS
from handson.notebook.workshop import Workshop
from handson.resources import network
from handson.resources.vpc_listing import find_zones
from tests.emulator.processes import kill
from tests.emulator.workshops import open_workshop

pytestmark = pytest.mark.emulator


@pytest.fixture
def held(emulator: Running, home: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    monkeypatch.chdir(root / "notebooks" / "ja")
    return open_workshop(home, endpoint_url=emulator.endpoint)


def seen(held: Workshop) -> tuple[Any, ...]:
    look = held.snapshot()
    return look.vpcs, look.clusters, look.repositories, look.images


def without_ids(vpc: Vpc) -> Vpc:
    """Return a VPC without what AWS makes up and without owners; subnets are called by names.

    How many addresses are free is left out, too: MiniStack counts 251 in a subnet of any size.
    """
    names = {subnet.id: subnet.name for subnet in vpc.subnets}
    tables = []
    for table in vpc.route_tables:
        routes = [replace(each, target=each.target.partition("-")[0]) for each in table.routes]
        routes.sort(key=lambda route: route.destination)
        inside = tuple(sorted(names[subnet] for subnet in table.subnets))
        tables.append(replace(table, id="", owner="", subnets=inside, routes=tuple(routes)))
    subnets = [replace(each, id="", owner="", available_addresses=0) for each in vpc.subnets]
    return replace(
        vpc,
        id="",
        owner="",
        subnets=tuple(sorted(subnets, key=lambda subnet: subnet.name)),
        route_tables=tuple(sorted(tables, key=lambda table: table.name)),
        internet_gateways=tuple(replace(each, id="", owner="") for each in vpc.internet_gateways),
        endpoints=tuple(replace(each, id="", owner="") for each in vpc.endpoints),
    )


@pytest.mark.parametrize(
    "form",
    [
        NetworkForm(),
        NetworkForm(private_subnets=4),
        NetworkForm(name="shop", cidr="10.8.0.0/20", availability_zones=3, public_subnets=3),
        NetworkForm(public_subnets=0, private_subnets=2, s3_endpoint=False),
    ],
    ids=["the workshop's", "private ones", "three zones", "no public one"],
)
def test_what_a_form_shows_is_what_it_makes(held: Workshop, form: NetworkForm) -> None:
    zones = find_zones(held.aws)[: form.availability_zones]
    planned = describe_network(form, zones=zones, region=held.aws.region)
    made = network.ensure_network(held.aws, form).vpc
    assert without_ids(planned) == without_ids(made)


def test_the_buttons_alone_make_what_the_checks_ask_for_and_pressed_again_nothing_new(
    held: Workshop,
) -> None:
    nothing = seen(held)
    board, forms = widgets.board(held), [widgets.form(held, name) for name in FORMS]
    assert all(map(repr, [board, widgets.questions(held, "why-zones"), *forms]))
    assert seen(held) == nothing
    for form in forms:
        form.fill_in(**form.usual)
        form.make()
    before = seen(held)
    for form in forms:
        form.make()
    assert seen(held)[:3] == before[:3]
    held.record_image_uri()
    requests = [*held.aws.requests]
    assert (board.look(), board.below()[0].state) == (True, "ok")
    assert held.aws.requests == requests  # what a board asks is no evidence


def test_a_push_without_a_repository_is_told_below_what_was_built(held: Workshop) -> None:
    form = widgets.form(held, "image")
    form.fill_in(**form.usual)
    form.make()
    assert [card.state for card in form.below()] == ["ok", "bad"]


@pytest.mark.full
def test_the_board_tells_that_the_embedded_aws_was_killed(home: Path) -> None:
    board = widgets.board(open_workshop(home))
    kill(embedded.find_running(home))
    board.look()
    assert "起動し直しました" in board.below()[0].title
