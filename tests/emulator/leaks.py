"""Where a secret stands that should not: in plain, in base64, in a URL; in files of any kind."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote, quote_plus, unquote

Secrets = Mapping[str, str]


def forms(secret: str) -> set[str]:
    """Return how a secret may be written: itself, in URLs, and in base64 at any place of a text."""
    written = {secret, unquote(secret)}
    for plain in (secret, unquote(secret)):
        written |= {quote(plain, safe=""), quote(plain), quote_plus(plain)}
        written |= set(_in_base64(plain))
    return written


def _in_base64(secret: str) -> Iterator[str]:
    """Yield what of the base64 of any text around a secret depends on the secret alone."""
    for before in range(3):
        coded = base64.b64encode(b"\0" * before + secret.encode()).decode().rstrip("=")
        middle = coded[-(-before * 8 // 6) + (before > 0) : -1 - len(coded) % 4 or None]
        yield middle
        yield middle.replace("+", "-").replace("/", "_")


def leaked(text: str, secrets: Secrets) -> list[str]:
    """Return the names of the secrets that stand in a text, in any form."""
    return [name for name, secret in secrets.items() if any(form in text for form in forms(secret))]


def leaks_in(folder: Path, secrets: Secrets) -> list[tuple[str, str]]:
    """Return file and name of each secret that stands in a file below a folder, zipped or not."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return leaks_among({str(path.relative_to(folder)): _text(path) for path in files}, secrets)


def leaks_among(texts: Mapping[str, str], secrets: Secrets) -> list[tuple[str, str]]:
    """Return name of the text and of the secret for each secret that stands in a text."""
    return [(where, name) for where, text in texts.items() for name in leaked(text, secrets)]


def _text(path: Path) -> str:
    data = path.read_bytes()
    if data.startswith(b"\x1f\x8b"):
        data = gzip.decompress(data)
    return data.decode("utf-8", "replace")
