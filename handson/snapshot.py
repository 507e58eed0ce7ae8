"""One look at the target: everything that checks and pictures read, in one `Snapshot`."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from handson import cluster, image_run, image_uri, network, registry
from handson.aws import Aws
from handson.state import Image, Snapshot


def take_snapshot(aws: Aws, *, home: Path) -> Snapshot:
    """Look at the network, the clusters, the repositories and their images, all at once.

    Args:
        aws: The connection.
        home: Where the image URI, and what was seen running, were recorded.

    Raises:
        HandsonError: A call was not allowed, or AWS did not answer.
    """
    for service in ("ec2", "ecs", "ecr"):
        aws.client(service)
    with ThreadPoolExecutor(3) as pool:
        vpcs = pool.submit(network.find_vpcs, aws)
        clusters = pool.submit(cluster.find_clusters, aws)
        repositories = registry.find_repositories(aws)
        images: list[Image] = []
        for found in pool.map(lambda item: registry.find_images(aws, item.name), repositories):
            images.extend(found)
        return Snapshot(
            target=aws.target,
            vpcs=vpcs.result(),
            clusters=clusters.result(),
            repositories=repositories,
            images=tuple(images),
            recorded_uri=image_uri.read_image_uri(home),
            recorded_run=image_run.read_image_run(home),
        )
