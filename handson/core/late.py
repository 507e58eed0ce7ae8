"""What is imported at its first use, so that `handson.start` loads no more than it needs."""

from __future__ import annotations

from pkgutil import resolve_name
from typing import Any


class Late:
    """Stands for a module ("name:") or an object in it ("name:object") until it is used."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        return getattr(resolve_name(self._name), name)


def load_late(package: str, names: str) -> dict[str, Late]:
    """Return modules of a package by name, for a module's `globals`: each is imported when used.

    Import them under `TYPE_CHECKING` as well, for type checkers and the rules of imports.
    """
    return {name: Late(f"{package}.{name}:") for name in names.split()}
