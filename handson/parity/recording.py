"""A recording: its file, and its differences from another one.

The file is gzipped JSON lines, first what was recorded, then an answer a line.

What belongs to an account is replaced before a file is written, and then searched for, by the
patterns of `scrubbing.toml`.  The search does not rely on the replacement: it knows the strings of
the real account, and patterns of secrets.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import Any, Literal

import msgspec

from handson.core import files, messages
from handson.core.errors import InvalidInput, NotAllowed, NotReady
from handson.core.text import one_line, pick_fields

SCHEMA: Literal["handson.parity/1"] = "handson.parity/1"
ACCOUNT = "111122223333"
"""The account of all recordings, as of AWS's documentation."""

read_data = partial(files.read_data, "handson.parity")
"""Returns a TOML file of this package."""

_CODE = re.compile(r'<Code>([^<]+)|"(?:__type|code)":\s*"(?:[^"]*#)?([^"]+)')
_LEAF = re.compile(
    r'<(\w+)[^<>]*>([^<]*)</\1>|"(\w+)":\s*("(?:[^"\\]|\\.)*"|\[[^][{}]*\]|[^][{},\s]+)'
)
"""A field without further fields in it, as XML or as JSON has it."""
_ANYTHING = {"date", "x-amzn-requestid", "requestid", "nexttoken", "content-type"}
"""Fields that differ from answer to answer, or that no client reads."""


class Exchange(msgspec.Struct, frozen=True):
    """A request and its answer, as they went over the wire.

    Attributes:
        probe: The probe, followed by " again" or " look" where it asks more than once.
        service: boto3's name of the service; "registry" for the image registry.
        operation: The API's name, or method and address of the registry.
        parameters: The parameters as they were sent.
        status: The answer's HTTP status.
        headers: The answer's headers that matter, by their names in small letters.
        body: The answer's body.
        ms: Milliseconds from the request to the answer.
        at: Milliseconds from the start of the recording to the request.
    """

    probe: str
    service: str
    operation: str
    parameters: dict[str, Any]
    status: int
    headers: dict[str, str]
    body: str
    ms: int
    at: int

    @property
    def outcome(self) -> str:
        """The status, and the error code of a refusal: "400 InvalidVpc.Range"."""
        code = _CODE.search(self.body) if self.status >= 400 else None
        return f"{self.status} {code[1] or code[2]}" if code else str(self.status)

    def fields(self) -> dict[str, list[str]]:
        """Return outcome, headers and fields by name, with their values; ids without numbers."""
        found: dict[str, list[str]] = {"outcome": [self.outcome]}
        body = re.sub(r"\\u([0-9a-fA-F]{4})", lambda it: chr(int(it[1], 16)), self.body)
        pairs = [(a or b, x or y) for a, x, b, y in _LEAF.findall(body)]
        for name, value in [*self.headers.items(), *pairs]:
            if name.lower() not in _ANYTHING:
                value = re.sub(r"\b([a-z]{2,12}-)[0-9]{17}\b", r"\1*", value)
                found.setdefault(name, []).append(value.replace(", ", ","))
        return {name: sorted(values) for name, values in found.items()}


class Recording(msgspec.Struct, frozen=True, omit_defaults=True):
    """Answers, and where they are from.

    Attributes:
        schema: Its name.
        date: The day.
        region: The region.
        botocore: The version of botocore that asked.
        source: "aws", or "simulation" for an emulator or a proxy: never AWS's own answers.
        skipped: The probes that were not answered, and why.
        exchanges: The answers, in order.
    """

    schema: Literal["handson.parity/1"]
    date: str
    region: str
    botocore: str
    source: str
    skipped: dict[str, str]
    exchanges: Sequence[Exchange] = ()


def write_recording(recording: Recording, path: Path, *, own: Collection[str]) -> None:
    """Write a scrubbed recording to a file.

    Args:
        recording: The answers.
        path: The file.
        own: Strings of the account that must not be in it.

    Raises:
        NotAllowed: Something secret is still in it; nothing was written.
        NotReady: The file cannot be written.
    """
    head = msgspec.structs.replace(recording, exchanges=())
    data = msgspec.json.Encoder().encode_lines([head, *recording.exchanges])
    if found := find_secrets(data.decode().replace(r"\n", " "), own):
        raise NotAllowed.from_key("parity.secret", kinds=", ".join(found))
    with NotReady.replace_os_errors("parity.unwritable", path=path):
        files.replace_file(path, [gzip.compress(data, mtime=0)])


def read_recording(path: Path) -> Recording:
    """Return the recording in a file.

    Raises:
        InvalidInput: The file is missing, or no recording of this schema.
    """
    try:
        head, *lines = msgspec.json.Decoder().decode_lines(gzip.decompress(path.read_bytes()))
        return msgspec.convert(dict(head, exchanges=lines), Recording)
    except (OSError, EOFError, TypeError, ValueError, RecursionError, zlib.error) as error:
        raise InvalidInput.from_key("parity.no-recording", path=path) from error


class Scrubber:
    """Replaces what belongs to the account; one id stays one id in all texts.

    Attributes:
        own: Strings of the account that have been replaced, or have to be.
    """

    def __init__(self, account: str, caller: str) -> None:
        # The rest is in everybody's recordings.
        common = {"", "root", "learner", ACCOUNT}
        self.own = {account, caller, re.split("[:/]", caller)[-1]} - common
        self._known: dict[tuple[str, str], str] = {}

    def scrub(self, text: str) -> str:
        """Return a text without what belongs to the account."""
        for rule in read_data("scrubbing.toml")["replace"]:
            text = re.sub(rule["pattern"], partial(self._replace, rule["by"]), text)
        return text

    def _replace(self, by: str, found: re.Match[str]) -> str:
        replaced = found.expand(by).replace("#", f"{len(self._known) + 1:017}")
        replaced = self._known.setdefault((by, found[0]), replaced)
        self.own |= {found[0]} - {replaced}
        return replaced


def find_secrets(text: str, own: Collection[str]) -> list[str]:
    """Return the kinds of secrets in a text: patterns, and strings of the account."""
    known = rf"(?<!\w)(?:{'|'.join(map(re.escape, own)) or '(?!)'})(?!\w)"
    patterns = {**read_data("scrubbing.toml")["secrets"], "string of the account": known}
    return [kind for kind, pattern in patterns.items() if re.search(pattern, text)]


def compare(recorded: Recording, here: Recording) -> dict[str, Any]:
    """Return `handson.parity-comparison/1`, as JSON has it: the new differences come first.

    Only the last answer to each question counts; a probe is equal where all of its answers are, in
    every field.
    """
    known = read_data("accepted.toml").items()
    answers, others = ({it.probe: it.fields() for it in one.exchanges} for one in (recorded, here))
    found = []
    for probe, before in answers.items():
        after = others.get(probe, {})
        is_same = before["outcome"] == after.get("outcome")
        for name in sorted(before | after) if is_same else ["outcome"]:
            one, other = (", ".join(fields.get(name, "-")) for fields in (before, after))
            if one != other:
                reasons = (why for key, why in known if fnmatchcase(f"{probe} {name}", key))
                row = {"probe": probe, "field": name, "recorded": one, "here": other}
                found.append(row | {"reason": next(reasons, "")})
    probes = {probe.split()[0] for probe in answers}
    return {
        "schema": "handson.parity-comparison/1",
        **pick_fields(recorded, "source date"),
        "probes": len(probes),
        "equal": len(probes - {it["probe"].split()[0] for it in found}),
        "differences": sorted(found, key=lambda it: bool(it["reason"])),
    }


def describe(found: Mapping[str, Any]) -> Iterator[str]:
    """Yield a line for people for each difference, and the figure."""
    for it in found["differences"]:
        recorded, here = (one_line(it[side], longest=60) for side in ("recorded", "here"))
        mark = "⚠" if it["reason"] else "✘"
        yield f"{mark} {it['probe']}  {it['field']}  {recorded} ≠ {here}  {it['reason']}".rstrip()
    source = messages.label("parity.source", found["source"], date=found["date"])
    yield messages.text("parity.figure", source=source, equal=found["equal"], whole=found["probes"])
