"""Archives: folders and zips that strangers packed, listed and read and never unpacked."""

from __future__ import annotations

import contextlib
import io
import os
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handson.grading.archives import Archive, Folder, Refused, open_tree, read_entry

from .making import FEW, zipped


def refusal(work: Any, *arguments: Any) -> tuple[str, dict[str, str]]:
    with pytest.raises(Refused) as refused:
        work(*arguments)
    return refused.value.code, refused.value.values


def opened(data: bytes) -> Archive:
    return Archive(io.BytesIO(data))


def read_all(data: bytes, *, limit: int = 8_000_000) -> dict[str, bytes | str]:
    """Return each file of a zip by its path; one that is refused is the refusal's code."""
    tree, found, folders = opened(data), dict[str, bytes | str](), [""]
    for folder in folders:
        entries = list(tree.list_entries(folder))
        folders += [entry.path for entry in entries if entry.is_folder]
        for entry in (each for each in entries if not each.is_folder):
            try:
                found[entry.path] = read_entry(tree, entry, limit=limit)
            except Refused as refused:
                found[entry.path] = refused.code
    return found


def packed(name: str, data: bytes = b"{}", *, attributes: int = 0, method: int = 8) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        info = zipfile.ZipInfo(name)
        info.compress_type, info.external_attr = method, attributes
        archive.writestr(info, data)
    return target.getvalue()


def patched(data: bytes, *changes: tuple[bytes, int, bytes]) -> bytes:
    """Return a zip with bytes changed at a place after a mark: what it says of itself."""
    changed = bytearray(data)
    for mark, place, new in changes:
        start = data.rindex(mark) + place
        changed[start : start + len(new)] = new
    return bytes(changed)


def test_a_zips_names_become_a_tree_in_which_none_leads_outside() -> None:
    names = {
        "a/b/01.ipynb": {"a/b/01.ipynb": b"{}"},
        "a\\b.ipynb": {"a/b.ipynb": b"{}"},
        "./a//b.ipynb": {"a/b.ipynb": b"{}"},
        "../b.ipynb": {"b.ipynb": "file-outside"},
        "a/../b.ipynb": {"a/b.ipynb": "file-outside"},
        "/etc/b.ipynb": {"etc/b.ipynb": "file-outside"},
        "C:\\b.ipynb": {"C:/b.ipynb": "file-outside"},
        "..\\..\\b.ipynb": {"b.ipynb": "file-outside"},
        "..": {"?": "file-outside"},
        "a/c:b.ipynb": {"a/c:b.ipynb": b"{}"},
        f"{'a/' * 30}b": {"/".join("a" * 24): b"{}"},
    }
    assert {name: read_all(packed(name)) for name in names} == names
    assert list(opened(packed("a/", b"")).list_entries("a")) == []
    inner = opened(packed("a/b.zip", packed("c.ipynb"))).open_zip("a/b.zip")
    assert [entry.path for entry in inner.list_entries("")] == ["c.ipynb"]


def test_an_entry_has_its_name_in_any_encoding_its_path_and_time() -> None:
    tree = opened(packed("a/b.ipynb"))
    (folder,), (entry,) = tree.list_entries(""), tree.list_entries("a")
    assert (folder.name, folder.path, folder.is_folder, folder.modified) == ("a", "a", True, "")
    assert (entry.name, entry.path, entry.is_folder) == ("b.ipynb", "a/b.ipynb", False)
    no_day = patched(packed("b"), (b"PK\x01\x02", 14, b"\x5f\x5c"))  # the 31st of February 2026
    march = next(iter(opened(no_day).list_entries(""))).modified
    assert (entry.modified[:4] in ("1979", "1980"), march[:8]) == (True, "2026-03-")
    for encoding in ("utf-8", "cp932"):
        name = "提出".encode(encoding)
        assert list(read_all(packed("x" * len(name)).replace(b"x" * len(name), name))) == ["提出"]
    assert len(read_all(packed("xxx").replace(b"xxx", b"\xf8\xff\xfd"))) == 1


def test_what_could_do_harm_is_no_zip_or_has_8_megabytes_of_contents_is_refused() -> None:
    locked = patched(packed("b"), (b"PK\x01\x02", 8, b"\x01"))
    size = (10).to_bytes(4, "little")
    lying = patched(packed("b", b"1" * 900), (b"PK\x03\x04", 22, size), (b"PK\x01\x02", 24, size))
    harm = {
        "a size that is not so": (lying, "file-broken-member"),
        "a link": (packed("b", attributes=0o120777 << 16), "file-link"),
        "lzma": (packed("b", method=zipfile.ZIP_LZMA), "file-compression"),
        "locked": (locked, "file-locked"),
        "a bomb": (packed("b", bytes(7_000_000)), "file-bomb"),
        "too large": (packed("b", bytes(8_000_001), method=0), "file-too-large"),
        "a wrong sum": (packed("b", method=0).replace(b"{}", b"{]"), "file-broken-member"),
    }
    assert {name: read_all(data) for name, (data, _) in harm.items()} == {
        name: {"b": code} for name, (_, code) in harm.items()
    }
    for sound in (packed("b", bytes(8_000_000), method=0), packed("b", bytes(1_000_000))):
        assert set(read_all(sound)["b"]) == {0}

    def crowded(size: int, between: bytes = b"") -> bytes:
        end = patched(packed("b")[-22:], (b"PK\x05\x06", 12, size.to_bytes(4, "little")))
        return bytes(size) + between + end

    record = b"PK\x06\x06" + bytes(36) + (8_000_001).to_bytes(8, "little") + bytes(8)
    zip64 = crowded(8_000_001, record + b"PK\x06\x07" + bytes(12) + (1).to_bytes(4, "little"))
    for data in (crowded(8_000_001), crowded(8_000_001) + bytes(60_000), zip64):
        assert refusal(opened, data) == ("file-crowded", {})
    assert refusal(opened, crowded(8_000_000))[0] == "file-not-a-zip"
    whole = packed("b", b"{}" * 99)
    for data in (b"", b"PK", whole[:-30], whole[:-5], whole[len(whole) // 2 :]):
        code, values = refusal(opened, data)
        assert (code, values["reason"][:10]) == ("file-not-a-zip", "BadZipFile")


def test_a_zips_names_and_folders_are_counted_before_they_are_listed() -> None:
    def listed(names: int) -> bytes:
        table, end = b"PK\x01\x02" * names, packed("b")[-22:]
        return patched(table + end, (b"PK\x05\x06", 12, len(table).to_bytes(4, "little")))

    codes = [refusal(opened, listed(names))[0] for names in (50_000, 50_001)]
    assert codes == ["file-not-a-zip", "file-crowded"]
    # A folder a name, in files that lie ten folders deep.
    deep = {"/".join(f"{number * 10 + at}" for at in range(10)): b"" for number in range(5_560)}
    assert refusal(opened, zipped(deep)) == ("file-crowded", {})


@FEW
@given(st.binary(max_size=200))
def test_whatever_bytes_a_zip_holds_it_is_a_tree_or_refused(data: bytes) -> None:
    good = packed("01-network.ipynb")
    for mixed in (data, good[:40] + data + good[40:], good + data):
        with contextlib.suppress(Refused):
            read_all(mixed, limit=100)


def test_a_folder_is_listed_without_its_links_and_a_changed_zip_anew(tmp_path: Path) -> None:
    (tmp_path / "c").mkdir()
    for name in ("c/d.ipynb", "a.ipynb"):
        (tmp_path / name).write_text("{}")
        os.utime(tmp_path / name, (0, 0))
    (tmp_path / "b").symlink_to(tmp_path / "c")
    tree = open_tree(str(tmp_path))
    listed = [*tree.list_entries(""), *tree.list_entries("c")]
    assert [(each.path, each.is_folder, each.modified) for each in listed] == [
        ("a.ipynb", False, "1970-01-01T00:00:00+00:00"),
        ("b", False, ""),
        ("c", True, ""),
        ("c/d.ipynb", False, "1970-01-01T00:00:00+00:00"),
    ]
    assert [each.refusal.code for each in listed if each.refusal] == ["file-link"]
    path = tmp_path / "a.zip"
    for names in (["a"], ["b", "c"]):
        path.write_bytes(zipped(dict.fromkeys(names, b"")))
        assert [entry.name for entry in open_tree(str(path)).list_entries("")] == names


def test_large_files_devices_and_what_is_not_there_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(bytes(3_000_001))
    tree = Folder(str(tmp_path))
    (large,) = tree.list_entries("")
    assert len(read_entry(tree, large, limit=3_000_001)) == 3_000_001
    refused = refusal(lambda: read_entry(tree, large, limit=3_000_000))
    assert refused == ("file-too-large", {"limit": "3 MB"})
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/etc/hostname")
    codes = [refusal(lambda n=n: tree.open(n, limit=9))[0] for n in ("pipe", "link", "none")]
    assert codes == ["file-device", "file-unreadable", "file-unreadable"]
    gone = ("file-unreadable", {"reason": "No such file or directory"})
    assert refusal(open_tree, str(tmp_path / "none")) == gone
    assert refusal(lambda: list(tree.list_entries("none"))) == gone
