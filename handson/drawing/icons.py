"""The icons of the `diagrams` package, small enough to travel inside a picture.

The node classes of `diagrams` name the icons.  Those of our own pictures are shipped beside this
module, shrunk once by ``tools/icons.py``, so that drawing them loads neither `diagrams` nor
Graphviz.
"""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from pathlib import Path

from msgspec import Struct

FOLDER = Path(__file__).with_name("icon_files")
PIXELS = 96

ICONS = {
    "aws.compute.EC2ContainerRegistryImage": "aws/compute/ec2-container-registry-image.png",
    "aws.compute.ECR": "aws/compute/ec2-container-registry.png",
    "aws.compute.ECS": "aws/compute/elastic-container-service.png",
    "aws.compute.ElasticContainerServiceContainer": (
        "aws/compute/elastic-container-service-container.png"
    ),
    "aws.compute.Fargate": "aws/compute/fargate.png",
    "aws.devtools.CommandLineInterface": "aws/devtools/command-line-interface.png",
    "aws.general.GenericSamlToken": "aws/general/generic-saml-token.png",
    "aws.network.InternetGateway": "aws/network/internet-gateway.png",
    "aws.network.PublicSubnet": "aws/network/public-subnet.png",
    "aws.network.VPC": "aws/network/vpc.png",
    "aws.security.IAM": "aws/security/identity-and-access-management-iam.png",
    "generic.network.Firewall": "generic/network/firewall.png",
    "generic.network.Switch": "generic/network/switch.png",
    "generic.network.VPN": "generic/network/vpn.png",
    "generic.place.Datacenter": "generic/place/datacenter.png",
    "generic.storage.Storage": "generic/storage/storage.png",
    "k8s.infra.Master": "k8s/infra/master.png",
    "onprem.client.Client": "onprem/client/client.png",
    "onprem.compute.Server": "onprem/compute/server.png",
    "onprem.container.Docker": "onprem/container/docker.png",
    "onprem.registry.Harbor": "onprem/registry/harbor.png",
    "programming.framework.Rails": "programming/framework/rails.png",
}
"""Node class of `diagrams` → its icon's file, both there and in `FOLDER`."""


class Symbol(Struct, frozen=True):
    """An icon inside an SVG document: its id, and the definition that ``<use>`` refers to."""

    id: str
    definition: str


@cache
def load_symbol(name: str) -> Symbol:
    """Return the shipped icon of a node class, such as ``aws.network.VPC``."""
    return load_shipped_file(ICONS[name])


def load_shipped_file(file: str) -> Symbol:
    """Return a shipped icon by its file, such as ``aws/network/vpc.png``."""
    id = file.removesuffix(".png").replace("/", "-")
    return define_symbol(f"icon-{id}", (FOLDER / file).read_bytes())


def define_symbol(id: str, png: bytes) -> Symbol:
    """Return the icon in a PNG of `PIXELS` by `PIXELS`."""
    uri = f"data:image/png;base64,{b64encode(png).decode()}"
    return Symbol(
        id,
        f'<symbol id="{id}" viewBox="0 0 {PIXELS} {PIXELS}">'
        f'<image width="{PIXELS}" height="{PIXELS}" xlink:href="{uri}"/></symbol>',
    )
