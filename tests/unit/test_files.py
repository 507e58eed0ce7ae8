"""Reading files that people have saved with their own editors."""

from __future__ import annotations

from pathlib import Path

import pytest

from handson.core.errors import InvalidInput
from handson.core.files import decode_text, read_utf8

DECODED = {
    b"": ("", "UTF-8"),
    "店\r\n".encode(): ("店\r\n", "UTF-8"),
    "店".encode("utf-8-sig"): ("店", "UTF-8"),
    "店".encode("cp932"): ("店", "Shift_JIS"),
    "店".encode("utf-16"): ("店", "UTF-16"),
    "\ufeff店".encode("utf-16-be"): ("店", "UTF-16"),
    ".env".encode("utf-16-le"): (".env", "UTF-16"),
    b"\xff\xfe\x00": ("", ""),
    b"\x81\x20": ("", ""),
}


def test_a_text_is_decoded_without_its_mark_and_its_encoding_named() -> None:
    assert {data: decode_text(data) for data in DECODED} == DECODED


def test_a_file_that_has_to_be_utf8_is_refused_by_its_name_and_its_encoding(tmp_path: Path) -> None:
    for data, (text, encoding) in DECODED.items():
        (tmp_path / "shop").write_bytes(data)
        if encoding == "UTF-8":
            assert read_utf8(tmp_path / "shop") == text
            continue
        with pytest.raises(InvalidInput, match=rf"shop .*UTF-8.*{encoding or '[?]'}.*\n.*UTF-8"):
            read_utf8(tmp_path / "shop")
