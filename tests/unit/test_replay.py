"""Running notebooks, as far as no kernel is needed: what is found, and what is refused first."""

from __future__ import annotations

from pathlib import Path

import pytest

from handson.aws import settings
from handson.aws.settings import Settings
from handson.core.errors import InvalidInput, NotReady
from handson.course import syllabus
from handson.notebook import replay

NOTHING = '{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a Japanese edition in which no notebook has a cell."""
    edition = tmp_path / "notebooks" / "ja"
    edition.mkdir(parents=True)
    for name in syllabus.NOTEBOOKS:
        (edition / f"{name}.ipynb").write_text(NOTHING)
    return tmp_path


@pytest.fixture
def chosen(folder: Path) -> Settings:
    return settings.read_settings({}, cwd=folder)


def nobody(_name: str, _done: int, _total: int) -> None:
    raise AssertionError("a notebook was begun")


def test_notebooks_are_found_in_the_order_of_the_lessons(folder: Path) -> None:
    (folder / "notebooks" / "ja" / "my-notes.ipynb").write_text(NOTHING)
    found = replay.find_notebooks(folder, lang="ja")
    assert [path.stem for path in found] == list(syllabus.NOTEBOOKS)
    assert replay.find_notebooks(folder / "notebooks" / "ja", lang="ja") == found


def test_without_notebooks_here_those_of_the_checkout_are_found(tmp_path: Path, root: Path) -> None:
    found = replay.find_notebooks(tmp_path, lang="ja")
    assert found[0] == root / "notebooks" / "ja" / "00-prepare.ipynb"


def test_the_optional_one_is_found_where_it_is_asked_for(folder: Path) -> None:
    without = replay.find_notebooks(folder, lang="ja", optional=True)
    (folder / "notebooks" / "ja" / "06-troubleshooting.ipynb").write_text(NOTHING)
    names = [path.stem for path in replay.find_notebooks(folder, lang="ja", optional=True)]
    assert len(without) == len(replay.find_notebooks(folder, lang="ja")) == 7
    assert names[-3:] == ["05-architecture", "06-troubleshooting", "99-cleanup"]


def test_an_edition_that_lacks_one_or_all_is_refused(folder: Path) -> None:
    (folder / "notebooks" / "ja" / "02-cluster.ipynb").unlink()
    with pytest.raises(NotReady, match=r"02-cluster\.ipynb"):
        replay.find_notebooks(folder, lang="ja")
    with pytest.raises(NotReady) as refusal:
        replay.find_notebooks(folder, lang="en")
    assert "--lang ja" in refusal.value.remedy


# Where the copies go


@pytest.mark.parametrize("name", ["notebooks/ja", "alias"])
def test_the_folder_of_the_notebooks_is_no_place_for_copies(
    folder: Path, chosen: Settings, name: str
) -> None:
    notebooks = replay.find_notebooks(folder, lang="ja")
    (folder / "alias").symlink_to(notebooks[0].parent)
    before = {path: path.read_bytes() for path in notebooks}
    with pytest.raises(InvalidInput):
        replay.run_notebooks(chosen, notebooks, output=folder / name, on_cell=nobody)
    assert {path: path.read_bytes() for path in notebooks} == before


def test_a_file_in_the_place_of_the_folder_is_refused(folder: Path, chosen: Settings) -> None:
    (folder / "file").write_text("mine")
    notebooks = replay.find_notebooks(folder, lang="ja")
    with pytest.raises(NotReady, match="書き込めません"):
        replay.run_notebooks(chosen, notebooks, output=folder / "file", on_cell=nobody)


@pytest.mark.parametrize("content", ["", "<<<<<<< HEAD", "[]", '{"cells": 7}', "\x00"])
def test_a_notebook_that_cannot_be_read_is_named_and_earlier_copies_stay(
    folder: Path, chosen: Settings, content: str
) -> None:
    notebooks = replay.find_notebooks(folder, lang="ja")
    notebooks[3].write_text(content)
    (folder / "run").mkdir()
    (folder / "run" / "00-prepare.ipynb").write_text("earlier")
    with pytest.raises(NotReady, match=r"03-image\.ipynb"):
        replay.run_notebooks(chosen, notebooks, output=folder / "run", on_cell=nobody)
    assert (folder / "run" / "00-prepare.ipynb").read_text() == "earlier"


# Pictures


def test_pictures_of_the_home_folder_are_copied_to_another(chosen: Settings, folder: Path) -> None:
    assert replay.keep_pictures(chosen, output=folder) == []
    drawn = chosen.home / "pictures"
    drawn.mkdir()
    (drawn / "aws.svg").write_text("<svg/>")
    assert replay.keep_pictures(chosen, output=drawn) == [drawn / "aws.svg"]
    assert replay.keep_pictures(chosen, output=folder) == [folder / "aws.svg"]
    assert (folder / "aws.svg").read_text() == "<svg/>"
    with pytest.raises(NotReady, match="書き込めません"):
        replay.keep_pictures(chosen, output=folder / "nowhere")
