"""Owners: whose a resource is, by a second tag on everything that the workshop creates.

The learner's name decides, also where several learners share one account, one IAM user or one
endpoint.  Some services refuse letters other than ASCII in a tag, so other names are written in
Punycode (RFC 3492).  Without a name, the owner is the id of the home folder.

Everybody in the account can change a tag: it keeps honest learners apart and proves nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from hashlib import sha256
from typing import Any
from unicodedata import normalize

from msgspec import Struct, field

from handson.core import messages
from handson.core.text import list_briefly, one_line, write_call
from handson.course.exercise import LIKELY_REGIONS, OWNER_KEY, TAG_KEY, TAG_VALUE
from handson.course.state import Owned

HOME = "home-"
"""How the id of a home folder begins."""

_ENCODED, _DIGEST = "xn--", "sha256:"
_LONGEST = 256  # Amazon EC2 User Guide, "Tag restrictions"
_PLAIN = re.compile(r"(?!aws:|home-|sha256:|xn--)[A-Za-z0-9 +=._:/@-]{1,256}", re.IGNORECASE)
# Punycode leaves ASCII as it is, so the signs that a tag cannot have are written in full width.
# NFKC has removed that from names, and turns it back when an owner is read.
_WIDE = {code: code + 0xFEE0 for code in range(0x21, 0x7F) if not _PLAIN.fullmatch(chr(code))}


def name_owner(learner: str) -> str:
    """Return the owner tag's value for a learner's name; "" for no name."""
    name = " ".join(normalize("NFKC", learner).split())
    if not name or _PLAIN.fullmatch(name):
        return name
    encoded = _ENCODED + name.translate(_WIDE).encode("punycode").decode()
    return encoded if len(encoded) <= _LONGEST else _DIGEST + sha256(name.encode()).hexdigest()


def read_name(owner: str) -> str:
    """Return the name that an owner tag's value stands for, on one line; else the value itself."""
    name = owner
    if owner.startswith(_ENCODED):
        with suppress(ValueError):  # somebody else wrote it
            encoded = owner.removeprefix(_ENCODED).encode("ascii")
            name = normalize("NFKC", encoded.decode("punycode"))
    return one_line(name)


def list_tags(owner: str) -> dict[str, str]:
    """Return the tags of everything that is created; `owner` may be ""."""
    return {TAG_KEY: TAG_VALUE, **({OWNER_KEY: owner} if owner else {})}


def read_tags(tags: Mapping[str, str]) -> dict[str, Any]:
    """Return what tags say of their resource, as the fields of `Owned`."""
    return {"tagged": tags.get(TAG_KEY) == TAG_VALUE, "owner": tags.get(OWNER_KEY, "")}


class Owners(Struct, frozen=True):
    """The owner of what a connection creates, and whose resources are the learner's own.

    Attributes:
        name: The owner tag's value on everything created; "" for none.
        own: The values that count as the learner's own; empty where everything does, as on the
            learner's own embedded AWS.
        taken: The ids of resources without an owner that the learner has taken over.
    """

    name: str = ""
    own: tuple[str, ...] = ()
    taken: set[str] = field(default_factory=set)

    def is_foreign(self, item: Owned) -> bool:
        """Tell whether a resource is another learner's."""
        return bool(self.own and item.tagged and item.owner) and item.owner not in self.own

    def may_delete(self, item: Owned, id: str) -> bool:
        """Tell whether a resource carries the workshop's tag and is the learner's own."""
        is_own = not self.own or item.owner in self.own or (not item.owner and id in self.taken)
        return item.tagged and is_own


def describe_owners(*owners: str) -> str:
    """Return owners for people, each once."""
    unnamed = messages.text("course.owners.unnamed")
    names = [unnamed if owner.startswith(HOME) else read_name(owner) for owner in owners]
    return list_briefly(sorted(set(names)))


def advise_owner(owner: str) -> str:
    """Return what to do for a learner who is that owner under another name."""
    if owner.startswith(HOME):
        return messages.text("course.owners.mine-home")
    call = write_call("handson.start", learner=read_name(owner))
    return messages.text("course.owners.mine", call=call)


def explain_foreign(name: str, owner: str, *, region: str) -> tuple[str, str]:
    """Return problem and remedy where another learner's resource has the name that is needed."""
    values = {"name": one_line(name), "owner": describe_owners(owner), "region": region}
    there, mine = _choose_region(region), advise_owner(owner)
    return messages.advice("course.owners.foreign", there=there, mine=mine, **values)


def explain_neighbours(owners: Sequence[str], *, region: str) -> tuple[str, str]:
    """Return problem and remedy where other learners' resources are in the region."""
    there = _choose_region(region)
    whose = describe_owners(*owners)
    return messages.advice("course.owners.neighbours", owners=whose, region=region, there=there)


def _choose_region(here: str) -> str:
    return next(region for region in LIKELY_REGIONS if region != here)
