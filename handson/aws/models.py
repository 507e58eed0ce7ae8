"""botocore's descriptions of the services, read quickly.

botocore looks through the folders of all services, and then reads a service's description whole:
EC2's has thousands of shapes, of which the workshop uses some dozens.  That takes longer than all
calls of a notebook, so here a shape is read when it is asked for.
"""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import msgspec

SERVICES = ["cloudtrail", "ec2", "ecr", "ecr-public", "ecs", "service-quotas", "sts"]
"""All that the workshop calls; botocore takes a service that is not listed for unknown."""


def loader() -> Any:
    """Return a botocore loader of these services, as botocore was installed with them."""
    from botocore.loaders import JSONFileLoader, Loader

    class Files(JSONFileLoader):  # type: ignore[misc]
        def load_file(self, file_path: str) -> Any:
            for suffix, read in ((".json", Path.read_bytes), (".json.gz", _unzipped)):
                path = Path(f"{file_path}{suffix}")
                if path.is_file():
                    return _decoded(read(path))
            return None

    class Models(Loader):  # type: ignore[misc]
        def list_available_services(self, type_name: str) -> list[str]:
            return SERVICES

    return Models(file_loader=Files())


class Shapes(dict[str, Any]):
    """Shapes by name, each decoded when it is first asked for."""

    def __getitem__(self, name: str) -> Any:
        shape = super().__getitem__(name)
        if isinstance(shape, msgspec.Raw):
            shape = self[name] = msgspec.json.decode(shape)
        return shape

    def get(self, name: str, default: Any = None) -> Any:
        """Return a shape, or the default."""
        try:
            return self[name]
        except KeyError:
            return default


def _unzipped(path: Path) -> bytes:
    return gzip.decompress(path.read_bytes())


def _decoded(data: bytes) -> Any:
    parts = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
    shapes = parts.pop("shapes", None)
    description = {name: msgspec.json.decode(part) for name, part in parts.items()}
    if shapes is not None:
        description["shapes"] = Shapes(msgspec.json.decode(shapes, type=dict[str, msgspec.Raw]))
    return description
