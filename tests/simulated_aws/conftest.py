"""Simulated AWS: the product as it is, and AWS's own host names, which end on this machine.

    simulated.proxy.rules       what AWS answers otherwise than the embedded AWS: see proxy.py
    simulated.learner()         a learner who uses it: see learner.py
    simulated.left()            what of the workshop's kinds is in the account

Time passes by sleeping: a wait of 50 s takes none.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from handson.aws import Aws
from tests.emulator.hooks import Inside, connect, reset
from tests.emulator.workshops import make_shop
from tests.simulated_aws.learner import Learner
from tests.simulated_aws.proxy import ACCOUNT, Proxy, make_certificates, running_proxy
from tests.unit.fake_aws import Clock

_IMAGE = "application/vnd.oci.image.{}.v1+json"


@dataclass
class Simulated:
    """The account, the way to it, and those who use it."""

    proxy: Proxy
    clock: Clock
    folder: Path
    shop: Path
    monkeypatch: pytest.MonkeyPatch
    _inside: Inside = field(repr=False)
    account = ACCOUNT

    def use(self, *, user: str = "aiko", trust: str = "all", **environ: str) -> None:
        """Set the variables of a learner in this process."""
        for name in ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
            self.monkeypatch.delenv(name, raising=False)
        given = {"HANDSON_LANG": "en", "HOME": str(self.folder)}
        for name, value in (
            self.proxy.environment(user=user, trust=trust) | given | environ
        ).items():
            self.monkeypatch.setenv(name, value)

    def learner(
        self,
        name: str = "Aiko",
        *,
        home: str = "aiko",
        on: str = "aws",
        shares: bool = True,
        **used: str,
    ) -> Learner:
        """Return a learner.

        Args:
            name: The name that is given, if any.
            home: The folder of the learner's home folder.
            on: "aws", or "emulator": the embedded AWS by its endpoint.
            shares: Use connections of learners before, who signed in with a key in the same way.
            used: Arguments of `use`.
        """
        folder = self.folder / home
        folder.mkdir(exist_ok=True)
        emulator = {"HANDSON_TARGET": "", "HANDSON_ENDPOINT_URL": self._inside.endpoint}
        environ = used | (emulator if on == "emulator" else {})
        prepare = partial(self.use, **environ)
        plain = used.get("trust", "all") == "all" and not any(it[:4] == "AWS_" for it in used)
        return Learner(
            folder, self.shop, self.clock, name=name, prepare=prepare, shares=shares and plain
        )

    def finished(self, *steps: str, name: str = "Aiko", on: str = "aws", **given: Any) -> Learner:
        """Return a learner who has taken steps, alone in the account, and has begun anew since.

        The steps are taken once; after that their work is copied.

        Args:
            steps: None of them fails.
            name: As for `learner`.
            on: As for `learner`.
            given: Other arguments of `learner`.
        """
        learner = self.learner(name, on=on, **given)
        where = given.get("HANDSON_REGION", "us-east-1")
        key = steps, name, on, given.get("user", "aiko"), where
        if key not in _finished:
            assert [step for step in steps if learner.take(step).failed] == []
            kept = shutil.copytree(learner.home, self.folder / "finished")
            _finished[key] = self._inside.door.copy_state(), kept
        state, home = _finished[key]
        self._inside.door.restore_state(state)
        shutil.copytree(home, learner.home, dirs_exist_ok=True)
        again = self.learner(name, on=on, **given)
        again.take("start")
        return again

    def backend(self, region: str = "us-east-1") -> Aws:
        """Return a connection to the embedded AWS, past proxy and product."""
        here = connect(self._inside)
        return here.in_region(region)

    def left(self, region: str = "us-east-1") -> list[str]:
        """Return what of the workshop's kinds is in the account: others' repositories left out."""
        aws = self.backend(region)
        vpcs = aws.list_items("ec2", "DescribeVpcs", "Vpcs")
        repositories = aws.list_items("ecr", "DescribeRepositories", "repositories")
        names = [one["repositoryName"] for one in repositories]
        return [
            *("vpc" for vpc in vpcs if not vpc.get("IsDefault")),
            *("cluster" for _ in aws.list_items("ecs", "ListClusters", "clusterArns")),
            *(name for name in names if not name.startswith("prod/")),
        ]

    def fill(self, *, repositories: int, images: int) -> None:
        """Put other people's repositories into the account, with tagged images."""
        aws = self.backend()
        for number in range(repositories):
            name = f"prod/app-{number}"
            aws.call("ecr", "CreateRepository", repositoryName=name)
            for version in range(images):
                digest = hashlib.sha256(f"{number} {version}".encode()).hexdigest()
                config = {
                    "mediaType": _IMAGE.format("config"),
                    "digest": f"sha256:{digest}",
                    "size": 9,
                }
                manifest = {
                    "schemaVersion": 2,
                    "mediaType": _IMAGE.format("manifest"),
                    "layers": [],
                }
                aws.call(
                    "ecr",
                    "PutImage",
                    repositoryName=name,
                    imageManifest=json.dumps(manifest | {"config": config}),
                    imageTag=f"v{version}",
                    imageManifestMediaType=_IMAGE.format("manifest"),
                )

    def make_bare_cluster(self) -> None:
        """Make the workshop's cluster without capacity providers, as a broken-off run leaves it."""
        tags = [{"key": "handson", "value": "ecs-handson"}]
        self.backend().call("ecs", "CreateCluster", clusterName="ecs-handson-cluster", tags=tags)


_finished: dict[Any, tuple[Any, Path]] = {}
"""What `Simulated.finished` has made: the account's state, and a copy of the home folder."""


@pytest.fixture(scope="session")
def renew_proxy(
    inside: Inside, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[Clock], Proxy]]:
    certificates = make_certificates(tmp_path_factory.mktemp("certificates"))
    with running_proxy(inside.door, certificates) as renew:
        yield renew


@pytest.fixture
def simulated(
    inside: Inside,
    renew_proxy: Callable[[Clock], Proxy],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Simulated:
    reset(inside)
    clock = Clock()
    shop = make_shop(tmp_path)
    made = Simulated(renew_proxy(clock), clock, tmp_path, shop, monkeypatch, inside)
    made.use()
    return made
