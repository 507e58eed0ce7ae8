"""The file of a recording: gzipped JSON lines, first what was recorded, then an answer a line.

What belongs to an account is replaced before a file is written, and then searched for, by the
patterns of `scrubbing.toml`.  The search does not rely on the replacement: it knows the strings of
the real account, and patterns of secrets.
"""

from __future__ import annotations

import gzip
import re
import tomllib
from collections import defaultdict
from collections.abc import Collection
from functools import cache, partial
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec

from handson.core.errors import InvalidInput, NotAllowed
from handson.core.files import explain_unwritable, replace_file

SCHEMA = "handson.parity/1"
MOST_BYTES = 400_000
ACCOUNT = "111122223333"
"""The account of all recordings, as of AWS's documentation."""

_LEAF = re.compile(
    r'<(\w+)[^<>]*>([^<]*)</\1>|"(\w+)":\s*("(?:[^"\\]|\\.)*"|\[[^][{}]*\]|[^][{},\s]+)'
)
"""A field without further fields in it, as XML or as JSON has it."""
_NUMBERED = re.compile(r"\b([a-z]{2,12}-)[0-9]{17}\b")
_ANYTHING = {"date", "x-amzn-requestid", "requestid", "nexttoken", "content-type"}
"""Fields that differ from answer to answer, or that no client reads."""


class Exchange(msgspec.Struct, frozen=True):
    """A request and its answer, as they went over the wire.

    Attributes:
        probe: The probe, followed by " again" or " look" where it asks more than once.
        service: As botocore's events call it; "registry" for the image registry.
        operation: The API's name, or method and path of the registry.
        parameters: The parameters as they were sent.
        status: The answer's HTTP status.
        headers: The answer's headers that matter; `Date` as seconds that AWS's clock is ahead.
        body: The answer's body.
        ms: Milliseconds from the request to the answer.
        at: Milliseconds from the start of the recording to the request.
    """

    probe: str
    service: str
    operation: str
    parameters: Any
    status: int
    headers: dict[str, str]
    body: str
    ms: int
    at: int

    @property
    def outcome(self) -> str:
        """The status, and the error code of a refusal: "400 InvalidVpc.Range"."""
        for pattern in (r"<Code>([^<]+)", r'"(?:__type|code)":\s*"(?:[^"]*#)?([^"]+)'):
            code = re.search(pattern, self.body)
            if code and self.status >= 400:
                return f"{self.status} {code[1]}"
        return str(self.status)

    def fields(self) -> dict[str, list[str]]:
        """Return headers and fields by name, each with its values; ids without their numbers."""
        found = defaultdict(list)
        body = re.sub(r"\\u([0-9a-fA-F]{4})", lambda it: chr(int(it[1], 16)), self.body)
        pairs = [(a or b, x or y) for a, x, b, y in _LEAF.findall(body)]
        for name, value in [*self.headers.items(), *pairs]:
            if name.lower() not in _ANYTHING:
                found[name].append(_NUMBERED.sub(r"\1*", value.replace(", ", ",")))
        return {name: sorted(values) for name, values in found.items()}


class Recording(msgspec.Struct, frozen=True, omit_defaults=True):
    """Answers, and where they are from.

    Attributes:
        schema: `handson.parity/1`.
        date: The day.
        region: The region.
        botocore: The version of botocore that asked.
        source: "aws", or "simulation" for an emulator or a proxy: never AWS's own answers.
        skipped: The probes that were not answered, and why.
        exchanges: The answers, in order.
    """

    schema: str
    date: str
    region: str
    botocore: str
    source: str
    skipped: dict[str, str]
    exchanges: tuple[Exchange, ...] = ()


def write_recording(recording: Recording, path: Path, *, own: Collection[str]) -> int:
    """Write a scrubbed recording to a file, and return the number of its bytes.

    Args:
        recording: The answers.
        path: The file.
        own: Strings of the account that must not be in it.

    Raises:
        NotAllowed: Something secret is still in it; nothing was written.
        InvalidInput: It would be larger than 400 KB; nothing was written.
        NotReady: The folder is not writable.
    """
    head = msgspec.structs.replace(recording, exchanges=())
    data = b"\n".join(map(msgspec.json.encode, (head, *recording.exchanges)))
    if found := find_secrets(data.decode().replace(r"\n", " "), own):
        raise NotAllowed.from_key("parity.secret", kinds=", ".join(found))
    packed = gzip.compress(data, mtime=0)
    if len(packed) > MOST_BYTES:
        raise InvalidInput.from_key("parity.too-large", size=len(packed), most=MOST_BYTES)
    try:
        replace_file(path, [packed])
    except OSError as error:
        raise explain_unwritable(path, error) from error
    return len(packed)


def read_recording(path: Path) -> Recording:
    """Return the recording in a file.

    Raises:
        InvalidInput: The file is missing, or no recording of this schema.
    """
    try:
        head, *lines = gzip.decompress(path.read_bytes()).splitlines()
        recording = msgspec.json.decode(head, type=Recording)
        exchanges = tuple(msgspec.json.decode(line, type=Exchange) for line in lines)
        if recording.schema != SCHEMA:
            raise ValueError(recording.schema)
    except (OSError, EOFError, ValueError, msgspec.MsgspecError) as error:
        raise InvalidInput.from_key("parity.no-recording", path=path) from error
    return msgspec.structs.replace(recording, exchanges=exchanges)


class Scrubber:
    """Replaces what belongs to the account; one id stays one id in all texts.

    Attributes:
        own: Strings of the account that have been replaced, or have to be.
    """

    def __init__(self, *, account: str, caller: str) -> None:
        # The rest is in everybody's recordings.
        common = {"", "root", "learner", ACCOUNT}
        self.own = {account, caller, re.split("[:/]", caller)[-1]} - common
        self._known: dict[str, str] = {}

    def scrub(self, value: Any) -> Any:
        """Return a text, or JSON with texts, without what belongs to the account."""
        if isinstance(value, dict):
            return {key: self.scrub(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.scrub(item) for item in value]
        if not isinstance(value, str):
            return value
        for rule in _read_rules()["number"]:
            value = re.sub(rule["pattern"], partial(self._number, rule["by"]), value)
        for rule in _read_rules()["replace"]:
            value = re.sub(rule["pattern"], rule["by"], value)
        return value

    def _number(self, form: str, found: re.Match[str]) -> str:
        self.own.add(found[0])
        return self._known.setdefault(found[0], f"{found.expand(form)}{len(self._known) + 1:017}")


def find_secrets(text: str, own: Collection[str]) -> list[str]:
    """Return the kinds of secrets in a text: patterns, and strings of the account."""
    patterns = dict(_read_rules()["secrets"])
    patterns["string of the account"] = (
        rf"(?<!\w)(?:{'|'.join(map(re.escape, own)) or '(?!)'})(?!\w)"
    )
    return [kind for kind, pattern in patterns.items() if re.search(pattern, text)]


@cache
def _read_rules() -> dict[str, Any]:
    return tomllib.loads(files(__package__).joinpath("scrubbing.toml").read_text("utf-8"))
