"""The Rails shop as it lies in the notebooks' folder: its locked gems, and what its image says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

from handson.engine import dockerfile, recipe

_LINE = re.compile(r"(?P<depth> +)(?P<name>[\w-]+)(?: \((?P<version>.+)\))?$")


@pytest.fixture(scope="module")
def shop(root: Path) -> Path:
    return root / "notebooks" / "docker-rails-workshop"


@pytest.fixture(scope="module")
def lock(shop: Path) -> str:
    return (shop / "Gemfile.lock").read_text("utf-8")


def section(lock: str, name: str) -> list[str]:
    return lock.partition(f"{name}\n")[2].partition("\n\n")[0].splitlines()


def test_the_lock_fills_every_need_and_holds_nothing_else(lock: str) -> None:
    versions: dict[str, str] = {}
    needs = [it.strip() for it in section(lock, "DEPENDENCIES")]
    for line in section(lock, "  specs:"):
        found = _LINE.match(line)
        assert found, line
        if len(found["depth"]) == 4:
            versions[found["name"]] = found["version"].partition("-")[0]
        else:
            needs.append(line.strip())
    assert [need for need in needs if not filled(need, versions)] == []
    assert versions.keys() - {need.partition(" ")[0] for need in needs} == set()


def filled(need: str, versions: dict[str, str]) -> bool:
    name, _, asked = need.partition(" ")
    wanted = re.sub(r"(^|, )= ", r"\1==", asked.strip("()")).replace("~>", "~=")
    return name in versions and SpecifierSet(wanted).contains(versions[name])


def test_the_lock_is_of_the_gemfile_and_one_source_for_all_platforms(shop: Path, lock: str) -> None:
    asked = re.findall(r"^gem (.+)$", (shop / "Gemfile").read_text("utf-8"), flags=re.M)
    gems = [[word.strip(' "') for word in line.split(",")] for line in asked]
    expected = [f"  {name} ({', '.join(sorted(limits, reverse=True))})" for name, *limits in gems]
    assert section(lock, "DEPENDENCIES") == sorted(expected)
    assert re.findall(r"^ +remote: (.+)$", lock, flags=re.M) == ["https://rubygems.org/"]
    platforms = [it.strip() for it in section(lock, "PLATFORMS")]
    assert platforms == ["aarch64-linux", "ruby", "x86_64-linux"]


def test_the_image_runs_as_nobody_in_particular_and_holds_no_secret(shop: Path) -> None:
    source = dockerfile.parse_dockerfile((shop / "Dockerfile").read_text("utf-8"))
    found = recipe.read_recipe(source, build_args={})
    names = {it.partition("=")[0] for it in found.config["Env"]}
    assert (found.base, found.config["User"]) == ("ruby:3.4-slim", "1000:1000")
    assert names == {"RAILS_ENV", "BUNDLE_GEMFILE", "BUNDLE_APP_CONFIG"}
    assert found.config["Healthcheck"]["Test"][0] == "CMD"
    assert [copy.sources for copy in found.copies if copy.sources] == [(".",)]
