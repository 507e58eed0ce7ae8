"""The values for Zero to JupyterHub: valid for its chart, and the pods that come of them.

The pods are compared with pods.yaml: the chart's own program and kubespawner make them, from an
environment that holds the `jupyterhub` command and kubespawner.
"""

from __future__ import annotations

import json
import re
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import which
from typing import Any

import jsonschema
import pytest
import yaml

HERE = Path(__file__).parent
SAFE = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
LEARNER, TEACHER = "taro.yamada@example.ac.jp", "teacher"
MISSPELT = ["singleuser.memory.garantee", "singleuser.networkpolicy", "cull.timeOut", "prepuller"]


def load(path: Path) -> dict[str, Any]:
    return dict(yaml.load(path.read_bytes(), SAFE))


def merge(below: Any, above: Any) -> Any:
    """Return what Helm makes of the chart's values and one's own: maps are merged."""
    if not isinstance(below, dict) or not isinstance(above, dict):
        return above
    return below | {key: merge(below.get(key), value) for key, value in above.items()}


@pytest.fixture(scope="module")
def chart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("chart")
    with tarfile.open(HERE / "jupyterhub-chart.tar.gz") as archive:
        archive.extractall(folder, filter="data")
    return folder / "jupyterhub"


@pytest.fixture(scope="module")
def read_values(root: Path, chart: Path) -> Callable[[], dict[str, Any]]:
    """Return the function that reads what Helm hands to the chart's templates and to the hub."""
    ours = root / "deploy" / "values.yaml"
    return lambda: dict(merge(load(chart / "values.yaml"), load(ours)))


@pytest.fixture
def values(read_values: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    return read_values()


@pytest.fixture(scope="module")
def find_faults(chart: Path) -> Callable[[dict[str, Any]], Iterator[str]]:
    checked = jsonschema.Draft7Validator(load(chart / "values.schema.yaml"))
    return lambda values: (f"{list(it.path)}: {it.message}" for it in checked.iter_errors(values))


@pytest.fixture(scope="module")
def hub_python(require: Callable[[str, bool, str], None]) -> Path:
    """Return the Python of the `jupyterhub` command."""
    python = Path(which("jupyterhub") or "none").resolve().with_name("python")
    look = "import importlib.util as it; raise SystemExit(not it.find_spec('kubespawner'))"
    found = python.exists() and subprocess.run([python, "-c", look]).returncode == 0
    require("kubespawner", found, "there is no `jupyterhub` command with kubespawner beside it")
    return python


def test_the_values_are_valid_for_the_charts_schema(values: Any, find_faults: Any) -> None:
    assert list(find_faults(values)) == []


@pytest.mark.parametrize("name", MISSPELT)
def test_a_misspelt_key_is_refused(values: Any, find_faults: Any, name: str) -> None:
    *parents, last = name.split(".")
    inner = values
    for parent in parents:
        inner = inner[parent]
    inner[last] = {}
    [fault] = find_faults(values)
    assert f"'{last}' was unexpected" in fault


@pytest.fixture(scope="module")
def rendered(read_values: Callable[[], Any], chart: Path, hub_python: Path) -> list[Any]:
    """Return the pods of a learner and a teacher, and what is said of a misspelt setting."""
    values, misspelt = read_values(), read_values()
    misspelt["hub"]["config"]["KubeSpawner"]["delete_pcv"] = False
    asked = [(values, LEARNER, []), (values, TEACHER, ["instructors"]), (misspelt, LEARNER, [])]
    done = subprocess.run(
        [hub_python, HERE / "render_pod.py", chart],
        input=json.dumps(asked),  # which is YAML, and read sooner
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return list(yaml.load(done.stdout, SAFE))


def test_the_pod_of_each_user_is_the_golden_one(rendered: list[Any]) -> None:
    golden = load(HERE / "pods.yaml")
    assert {LEARNER: rendered[0], TEACHER: rendered[1]} == golden


def test_a_misspelt_setting_of_the_hub_is_named(rendered: list[Any]) -> None:
    assert rendered[2] == "KubeSpawner has no setting delete_pcv"


def test_each_setting_of_the_workshop_is_one_that_the_reference_lists(
    root: Path, values: Any
) -> None:
    reference = (root / "docs" / "reference.md").read_text(encoding="utf-8")
    assert [name for name in values["singleuser"]["extraEnv"] if f"`{name}`" not in reference] == []


@pytest.mark.parametrize("page", ["hosting.md", "hosting.ja.md"])
def test_what_the_page_adds_for_a_class_is_valid(
    root: Path, values: Any, find_faults: Any, page: str
) -> None:
    text = (root / "docs" / page).read_text(encoding="utf-8")
    blocks = re.findall(r"^```yaml\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)
    assert blocks
    for own in blocks:
        assert list(find_faults(merge(values, yaml.load(own, SAFE)))) == []


def test_from_a_learners_pod_only_names_are_asked_for_besides_the_hub(values: Any) -> None:
    policy = values["singleuser"]["networkPolicy"]
    ways_out = {name for name, is_open in policy["egressAllowRules"].items() if is_open}
    assert ways_out == {"dnsPortsKubeSystemNamespace", "dnsPortsPrivateIPs"}
    assert (policy["enabled"], policy["egress"], policy["ingress"]) == (True, [], [])


def test_the_image_has_the_user_and_the_home_that_the_pod_is_given(root: Path, values: Any) -> None:
    image = (root / "deploy" / "Dockerfile").read_text(encoding="utf-8")
    pod = values["singleuser"]
    name = Path(pod["storage"]["homeMountPath"]).name
    assert re.search(rf"useradd --create-home --uid {pod['uid']} .* {name} ", image)
    assert f"HANDSON_HOME={pod['extraEnv']['HANDSON_HOME']} " in image


def test_the_claim_of_the_hand_ins_is_the_one_that_is_mounted_and_many_nodes_may_write_it(
    root: Path, values: Any
) -> None:
    claim = load(root / "deploy" / "hand-ins.yaml")
    volume = values["singleuser"]["storage"]["extraVolumes"]["hand-ins"]
    assert volume["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
    assert claim["spec"]["accessModes"] == ["ReadWriteMany"]
