"""Read AWS's descriptions of resources as states, by the JMESPath expressions of answers.toml."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from handson.core.files import read_data
from handson.course.owners import read_tags
from handson.course.state import Owned

Raw = Mapping[str, Any]
"""A resource as AWS's API describes it."""

S = TypeVar("S", bound=Owned)


def read_answer(kind: type[S], raw: Raw, **more: Any) -> S:
    """Return the state in AWS's description of a resource.

    Args:
        kind: The class of the state.
        raw: The description, with the resource's tags.
        more: Fields that are not in the description.

    Raises:
        msgspec.ValidationError: A field is missing or has a wrong type.
    """
    paths = read_data("handson.resources", "answers.toml")[kind.__name__]
    found = {field: search(path, raw) for field, path in paths.items()}
    return kind.from_json({"name": read_name(raw), **read_owner(raw), **found, **more})


def read_name(raw: Raw) -> str:
    """Return the Name tag of a resource, or an empty string."""
    return _parse_tags(raw).get("Name", "")


def read_owner(raw: Raw) -> dict[str, Any]:
    """Return what the tags of a resource say, as the fields of `Owned`."""
    return read_tags(_parse_tags(raw))


def _parse_tags(raw: Raw) -> dict[str, str]:
    """Return the tags of a resource: EC2 and ECR write Key and Value, ECS key and value."""
    tags = raw.get("Tags") or raw.get("tags") or ()
    lowered = ({name.lower(): value for name, value in tag.items()} for tag in tags)
    return {tag["key"]: tag["value"] for tag in lowered}


def search(path: str, answer: Raw) -> Any:
    """Return what a JMESPath expression finds in an answer."""
    import jmespath  # loaded late, as botocore is, which needs it too; it keeps what it has parsed

    return jmespath.search(path, answer)
