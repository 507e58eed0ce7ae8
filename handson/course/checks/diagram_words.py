"""The vocabulary of learners' diagrams: the role of an icon, or of words in two languages."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from handson.course.exercise import Exercise
from handson.course.state import DrawnArrow, DrawnBox, DrawnIcon

Part = DrawnBox | DrawnIcon

CLOUD, LOCAL, VPC, ZONE, SUBNET = "cloud", "local", "vpc", "zone", "subnet"
REGISTRY, CLUSTER, OTHER = "registry", "cluster", ""


def _alone(word: str) -> str:
    """Return a pattern for a Latin word that stands alone; Japanese may follow without a space."""
    return rf"(?<![a-z0-9]){word}(?![a-z0-9])"


_VPC = re.compile(rf"{_alone('vpcs?')}|virtual private|仮想プライベート|仮想ネットワーク")
_SUBNET = re.compile("subnet|サブネット")
_PUBLIC, _PRIVATE = re.compile("public|パブリック|公開"), re.compile("private|プライベート|非公開")
LETTER = re.compile(
    rf"(?:[a-z]{{2}}-[a-z]+-)?(?<![a-z0-9])([1-9][a-f])(?![a-z0-9])"
    rf"|(?:{_alone('az')}|zone|ゾーン|アベイラビリティー?ゾーン)[ :_-]*([a-f1-6])(?![a-z0-9])"
    r"|(?<![a-z])az([a-f1-6])(?![a-z0-9])"
)
_ZONE = re.compile(
    rf"{_alone('az')}|{_alone('az[a-f1-6]')}|availability ?zone|アベイラビリティ|ゾーン"
    rf"|{_alone('zone')}|(?<![a-z0-9])[1-9][a-f](?![a-z0-9])|データセンター|data ?cent(?:er|re)"
)
_REGISTRY = re.compile(
    rf"{_alone('ecr')}|registry|レジストリ|container repositor|リポジトリ|{_alone('repository')}"
)
_FARGATE = re.compile("fargate|ファーゲート")
_CLUSTER = re.compile(
    rf"fargate|ファーゲート|{_alone('ecs')}|elastic container service|クラスタ|cluster"
)
_CLOUD = re.compile(rf"{_alone('aws')}|amazon web|cloud|クラウド|{_alone('region')}|リージョン")
_LOCAL = re.compile(
    rf"computer|コンピュータ|パソコン|{_alone('pc')}|laptop|ノート|{_alone('local')}|localhost|ローカル"
    rf"|手元|自宅|{_alone('mac')}|{_alone('machine')}|開発環境"
)
_OWN = re.compile(rf"{_alone('my')}|{_alone('docker')}|自分")
SIGN_IN = re.compile(
    rf"認証|認可|ログイン|サインイン|トークン|資格情報|パスワード|アクセスキー|auth|log ?in"
    rf"|sign ?in|token|credential|password|access ?key|{_alone('iam')}|{_alone('sts')}"
)
PUSH = re.compile("push|プッシュ|upload|アップロード|送")
PULL = re.compile("pull|プル|download|ダウンロード|取得|取り出|受け取")
CONTAINER = re.compile("container|コンテナ")
_IMAGE = re.compile("image|イメージ|build|ビルド|dockerfile|rails")
TASK = re.compile(rf"{_alone('tasks?')}|タスク|container|コンテナ|{_alone('service')}|サービス")
_VISITOR = re.compile("browser|ブラウザ|user|ユーザ|visitor|利用者|お客|internet|インターネット")
_ECR, _STORED = "aws/compute/ec2-container-registry", "aws/compute/ec2-container-registry-image"
_ECS = ("aws/compute/fargate", "aws/compute/elastic-container-service")
IAM = ("aws/security/identity-and-access-management", "aws/security/single-sign-on")
_SERVERS = (
    "aws/compute/ec2",
    "aws/general/traditional-server",
    "onprem/compute/",
    "generic/compute/",
    "generic/virtualization/",
    "k8s/infra/node",
)
_NO_SERVERS = (_ECR, "aws/compute/ec2-image-builder", "aws/compute/ec2-elastic-ip")
GATEWAY = ("aws/network/internet-gateway", "aws/general/internet-gateway")

BOX_ROLES = (
    (SUBNET, _SUBNET),
    (VPC, _VPC),
    (REGISTRY, _REGISTRY),
    (LOCAL, _LOCAL),
    (CLUSTER, _CLUSTER),
    (ZONE, _ZONE),
    (CLOUD, _CLOUD),
    (LOCAL, _OWN),
)
"""The role of a box by its words; the first that fits, because it says most."""


def simplify_label(label: str, exercise: Exercise) -> str:
    """Return the words of a label in one width and case, with the exercise's names translated.

    The prefix of all names, and the name of a command, appear in labels but do not identify a part.
    """
    words = " ".join(unicodedata.normalize("NFKC", label[:200]).casefold().split())
    network = exercise.network
    words = words.replace(exercise.cluster.casefold(), "cluster").replace(network.cidr, " vpc ")
    return re.sub("aws[ -]?cli", " ", words.replace(network.name.casefold(), " "))


def says(part: Part | DrawnArrow, pattern: re.Pattern[str]) -> bool:
    """Tell whether a part's simplified label fits a pattern."""
    return pattern.search(part.label) is not None


_ICON_ROLES: tuple[tuple[str, Callable[[DrawnIcon], bool]], ...] = (
    (SUBNET, lambda icon: icon.kind.endswith("-subnet") or says(icon, _SUBNET)),
    (VPC, lambda icon: icon.kind == "aws/network/vpc" or says(icon, _VPC)),
    (REGISTRY, lambda icon: starts(icon, (_ECR,)) and not starts(icon, (_STORED,))),
    (CLUSTER, lambda icon: starts(icon, _ECS)),
    (OTHER, lambda icon: starts(icon, IAM) or is_server(icon) or starts(icon, GATEWAY)),
    (REGISTRY, lambda icon: says(icon, _REGISTRY)),
    (CLUSTER, lambda icon: says(icon, _CLUSTER)),
)


def role_of_icon(icon: DrawnIcon) -> str:
    """Return what an icon stands for."""
    return next((role for role, fits in _ICON_ROLES if fits(icon)), OTHER)


def starts(icon: Part, kinds: tuple[str, ...]) -> bool:
    """Tell whether a part is an icon of one of these kinds."""
    return isinstance(icon, DrawnIcon) and icon.kind.startswith(kinds)


def is_server(icon: DrawnIcon) -> bool:
    """Tell whether an icon shows a server."""
    return starts(icon, _SERVERS) and not starts(icon, _NO_SERVERS)


def is_fargate(part: Part) -> bool:
    """Tell whether a part says Fargate."""
    return starts(part, ("aws/compute/fargate",)) or says(part, _FARGATE)


def is_private(part: Part) -> bool:
    """Tell whether a part says that it is a private subnet."""
    kind = part.kind if isinstance(part, DrawnIcon) else ""
    return kind == "aws/network/private-subnet" or (says(part, _PRIVATE) and says(part, _SUBNET))


def is_public(part: Part) -> bool:
    """Tell whether a part says that it is public."""
    kind = part.kind if isinstance(part, DrawnIcon) else ""
    return kind == "aws/network/public-subnet" or says(part, _PUBLIC)


def is_image(icon: DrawnIcon) -> bool:
    """Tell whether an icon is an image, or a source of one."""
    return says(icon, _IMAGE) or starts(icon, (_STORED,))


def cannot_push(icon: DrawnIcon) -> bool:
    """Tell whether an icon has nothing to push: a visitor, or a running container."""
    return says(icon, _VISITOR) or says(icon, CONTAINER)
