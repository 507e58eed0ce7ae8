"""What hosts a class: compose.yaml, the images' files, and tools/hub.py, which reads the former."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

import handson
from handson.drawing.svg_document import FAMILY

IMAGES = ("Dockerfile", "hub/Dockerfile")
SETTING = re.compile(r"\$\{(\w+):-([^}]*)\}")
# What tools/hub.py reads beside the options of `docker run`.
READ = {"build", "command", "depends_on", "healthcheck", "image", "logging", "networks", "volumes"}


@pytest.fixture(scope="module")
def deploy(root: Path) -> Path:
    return root / "deploy"


@pytest.fixture(scope="module")
def text(deploy: Path) -> str:
    return (deploy / "compose.yaml").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def services(text: str) -> dict[str, Any]:
    return dict(yaml.safe_load(text)["services"])


@pytest.fixture(scope="module")
def hub(root: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("hub", root / "tools" / "hub.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["hub"] = module
    spec.loader.exec_module(module)
    return module


def pins(lock: Path) -> dict[str, str]:
    return dict(re.findall(r"^([\w.-]+)(?:\[.*\])?==(\S+)", lock.read_text(), flags=re.MULTILINE))


def test_a_sentence_stands_above_each_key_of_a_service(text: str) -> None:
    bare, since = [], 0
    for line in re.split(r"^(?:services|networks):", text, flags=re.M)[1].splitlines():
        key = re.match(r" {4}(?: {2})?(\w+):", line)
        since = 0 if line.lstrip().startswith("#") else since + bool(key)
        if key and since > 2:  # one sentence may be of two keys
            bare.append(key[1])
    assert bare == []


def test_each_setting_is_explained_in_the_example(text: str, deploy: Path) -> None:
    lines = (deploy / "env.example").read_text(encoding="utf-8").splitlines()
    told = {re.sub(r"^#?(\w+)=.*", r"\1", line) for line in lines if re.match(r"#?\w+=", line)}
    assert told - {name for name, _ in SETTING.findall(text)} == set()
    assert not any("TOKEN" in name or "PASSWORD" in name or "SECRET" in name for name in told)


def test_the_hub_gets_each_setting_that_it_reads(deploy: Path, services: dict[str, Any]) -> None:
    config = (deploy / "hub" / "jupyterhub_config.py").read_text(encoding="utf-8")
    assert {*re.findall(r'environ\.get\("(\w+)"', config)} == {*services["hub"]["environment"]}
    about = config.split('"""')[1]
    assert {*re.findall(r"^(CLASS_\w+) ", about, re.M)} == {*services["hub"]["environment"]}


@pytest.mark.parametrize("name", ["compose.yaml", *IMAGES])
def test_versions_are_the_packages_and_never_the_latest(deploy: Path, name: str) -> None:
    content = (deploy / name).read_text(encoding="utf-8")
    ours = re.findall(r"handson(?:-hub)?:([\w.]+)\}|VERSION=([\d.]+)", content)
    assert {first or second for first, second in ours} == {handson.__version__}
    assert ":latest" not in content


@pytest.mark.parametrize("name", IMAGES)
def test_images_install_the_locks_by_their_hashes(deploy: Path, name: str) -> None:
    content = (deploy / name).read_text(encoding="utf-8")
    assert content.count("--no-deps --require-hashes -r") == 1


def test_the_hub_and_its_servers_have_one_version_of_each_package(deploy: Path, root: Path) -> None:
    ours = pins(root / "requirements.lock") | pins(deploy / "requirements.lock")
    theirs = pins(deploy / "hub" / "requirements.lock")
    assert {name: it for name, it in theirs.items() if ours.get(name, it) != it} == {}
    assert "jupyterhub" in ours


def test_the_proxys_lock_holds_hashes_and_no_addresses(deploy: Path) -> None:
    content = (deploy / "hub" / "package-lock.json").read_text()
    assert content.count('"version"') == content.count('"integrity"') > 10
    assert "resolved" not in content


def test_drawing_has_the_libraries_of_binder_and_a_font_that_pictures_name(
    deploy: Path, root: Path
) -> None:
    content = (deploy / "Dockerfile").read_text(encoding="utf-8")
    assert " ".join((root / ".binder" / "apt.txt").read_text().split()) in content
    assert "fonts-ipaexfont-gothic" in content
    assert "IPAexGothic" in FAMILY


def test_services_are_limited_and_keep_little_log(services: dict[str, Any]) -> None:
    for name in ("hub", "board"):
        service = services[name]
        assert service["cap_drop"] == ["ALL"], name
        assert service["read_only"], name
        assert {"mem_limit", "pids_limit", "restart"} <= service.keys(), name
        assert service["logging"]["options"] == {"max-size": "10m", "max-file": "3"}, name


def test_the_hub_is_published_on_this_host_only(services: dict[str, Any]) -> None:
    published = [port for service in services.values() for port in service.get("ports", [])]
    assert published == ["127.0.0.1:${CLASS_PORT:-8000}:8000"]


def test_the_hub_alone_rules_the_engine(services: dict[str, Any]) -> None:
    mounted = {name for name, it in services.items() if "docker.sock" in str(it.get("volumes"))}
    assert mounted == {"hub"}


def test_hub_tool_reads_each_key_of_each_service(hub: ModuleType, services: dict[str, Any]) -> None:
    keys = {key for service in services.values() for key in service}
    assert keys - READ - set(hub.OPTIONS.split()) == {"stop_grace_period"}  # it waits by itself


def test_hub_tool_fills_in_settings_as_compose_does(hub: ModuleType, tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("# a class\nCLASS_LANG=en\nCLASS_PORT=8001\n", encoding="utf-8")
    settings = hub.read_settings(file, {"CLASS_PORT": "8002"})
    service = hub.read_compose(settings)["services"]["hub"]
    assert service["ports"] == ["127.0.0.1:8002:8000"]
    assert service["environment"]["CLASS_LANG"] == "en"
    assert service["environment"]["CLASS_LIST"] == ""
