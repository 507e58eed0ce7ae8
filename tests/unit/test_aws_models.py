"""What botocore knows of the services, read our way: the same as read its own way."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path
from typing import Any

import botocore.session
import msgspec
import pytest
from botocore.exceptions import UnknownServiceError
from botocore.model import ServiceModel

from handson.aws.connection import SERVICES, LazyParts, share_loader


def own() -> Any:
    return botocore.session.Session().get_component("data_loader")


def plain(value: Any) -> Any:
    """Return a description as plain dicts, every shape read."""
    if isinstance(value, LazyParts):
        return {name: value[name] for name in value}
    if isinstance(value, dict):
        return {name: plain(part) for name, part in value.items()}
    return [plain(part) for part in value] if isinstance(value, list) else value


def test_descriptions_and_what_all_services_share_are_the_same_as_botocore_reads_them() -> None:
    ours, theirs = share_loader(), own()
    for service, kind in product(SERVICES, ("service-2", "endpoint-rule-set-1", "paginators-1")):
        found = plain(ours.load_service_model(service, kind))
        assert found == theirs.load_service_model(service, kind), (service, kind)
    for name in ("endpoints", "partitions", "sdk-default-configuration"):
        assert plain(ours.load_data(name)) == theirs.load_data(name), name


def test_a_file_of_additions_to_a_service_is_read_like_any_other() -> None:
    [path] = Path(botocore.__file__).parent.glob("data/eks/*/service-2.sdk-extras.json")
    found = share_loader().file_loader.load_file(str(path.with_suffix("")))
    assert found == json.loads(path.read_text(encoding="utf-8"))


def test_the_order_of_members_is_kept() -> None:
    models = [it.load_service_model("ec2", "service-2") for it in (share_loader(), own())]
    ours, theirs = (list(ServiceModel(model).shape_for("Vpc").members) for model in models)
    assert ours == theirs


def test_a_shape_is_read_when_it_is_asked_for_or_missing() -> None:
    shapes = LazyParts({"A": msgspec.Raw(b'{"type": "string"}')})
    assert shapes["A"] == shapes.get("A") == {"type": "string"}
    assert shapes.get("B", 1) == 1
    with pytest.raises(KeyError):
        shapes["B"]


def test_a_service_that_the_workshop_does_not_call_is_unknown() -> None:
    with pytest.raises(UnknownServiceError):
        share_loader().load_service_model("s3", "service-2")
