"""Print the pods that hubs of the chart make for users, as YAML, without a cluster.

    python render_pod.py CHART <asked.yaml

It runs the chart's own hub configuration and kubespawner, so it needs the hub's environment, which
takes seconds to import.  Asked for is a list of values, user and groups.  The values are those that
Helm hands to the hub: the chart's, with the class's merged into them.  A setting that the hub does
not have is named in the place of the pod.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import kubespawner.spawner
import yaml
from jupyterhub.app import JupyterHub
from jupyterhub.auth import Authenticator
from kubernetes_asyncio.client import ApiClient
from kubespawner import KubeSpawner
from tornado.httpclient import AsyncHTTPClient
from traitlets.config import Config, PyFileConfigLoader

PORTS = {"PROXY_API_SERVICE_PORT": "8001", "HUB_SERVICE_PORT": "8081"}
CLASSES = {
    "Authenticator": Authenticator,
    "JupyterHub": JupyterHub,
    "KubeSpawner": KubeSpawner,
    "Spawner": KubeSpawner,
}


def main(chart: str) -> None:
    asked = yaml.safe_load(sys.stdin)
    output, sys.stdout = sys.stdout, sys.stderr  # the chart's program tells what it loads
    made: list[Any] = []
    for values, user, groups in asked:
        config = load_hub(Path(chart), values)
        made.append(find_fault(config) or asyncio.run(make_pod(config, user, groups)))
    output.write(yaml.safe_dump(made))


def load_hub(chart: Path, values: dict[str, Any]) -> Config:
    """Return the hub's configuration, as the chart's program makes it in the hub's pod."""
    folder = chart / "files" / "hub"
    sys.path.insert(0, str(folder))
    import z2jh  # the chart's

    # In the hub's pod these are files; the names are those of a release without a prefix.
    z2jh._load_config = lambda: values
    z2jh._get_config_value = lambda key: key
    z2jh.get_secret_value = lambda key, default="": default
    os.environ.update(PORTS)
    AsyncHTTPClient.configure = lambda *_: None  # it asks for libcurl
    return PyFileConfigLoader("jupyterhub_config.py", path=str(folder)).load_config()


def find_fault(config: Config) -> str:
    """Name what is set and does not exist: the chart's schema takes any, and the hub only warns."""
    for name, section in CLASSES.items():
        if unknown := set(config[name]) - set(section.class_trait_names(config=True)):
            return f"{name} has no setting {', '.join(unknown)}"
    return ""


async def make_pod(config: Config, name: str, groups: list[str]) -> dict[str, Any]:
    """Return the pod's manifest for a user of these groups; of its environment, what we set."""
    kubespawner.spawner.load_config = lambda *_, **__: None  # there is no cluster
    user: Any = SimpleNamespace(name=name, server=None, url=f"/user/{name}/", escaped_name=name)
    user.id, user.groups = 1, [SimpleNamespace(name=group) for group in groups]
    hub = SimpleNamespace(public_host="", api_url="http://hub:8081/hub/api", base_url="/hub/")
    spawner = KubeSpawner(config=config, _mock=True, user=user, hub=hub)
    spawner.api_token, spawner.oauth_client_id = "secret", "client"
    await spawner.apply_group_overrides()
    async with ApiClient() as client:
        pod = client.sanitize_for_serialization(await spawner.get_pod_manifest())
    await spawner.api.api_client.close()
    container, about = pod["spec"]["containers"][0], pod["metadata"]
    ours = ("HANDSON_", "JUPYTERHUB_USER")
    container["env"] = [it for it in container["env"] if it["name"].startswith(ours)]
    kept = about["annotations"].items()
    about["annotations"] = {key: value for key, value in kept if not key.endswith("-version")}
    return dict(pod)


if __name__ == "__main__":
    main(*sys.argv[1:])
