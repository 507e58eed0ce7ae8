"""Diagrams as learners draw them: sensible ones, and ones that get something wrong.

Each is a sketch or the body of a ``with Diagram(…):`` block, which `draw` runs.
"""

from __future__ import annotations

import re
from textwrap import indent
from typing import Any

import diagrams
from diagrams.aws import compute, network, security
from diagrams.generic import storage
from diagrams.onprem import client, container

from handson.course.state import Drawing, DrawnArrow, DrawnBox, DrawnIcon
from handson.drawing import Diagram, describe_last_diagram

_MODULES = (diagrams, compute, network, security, storage, client, container)
_NAMES: dict[str, Any] = {
    **{name: value for module in _MODULES for name, value in vars(module).items()},
    "Diagram": Diagram,
}


def draw(body: str | Drawing) -> Drawing:
    """Run the body of a diagram and return what it shows; return a sketch as it is."""
    if isinstance(body, Drawing):
        return body
    code = f'with Diagram("x", show=False):\n{indent(body.strip(), "    ")}'
    exec(code, dict(_NAMES))
    drawn = describe_last_diagram()
    assert drawn is not None
    return drawn


def sketch(plan: str, *arrows: str) -> Drawing:
    """Return a drawing, as in "AWS[ECR; VPC[x#2|aws/compute/fargate]]", "a > b: label"."""
    boxes, icons, around = [], [], [""]
    for part, sign in re.findall(r"\s*([^;\[\]]*)([;\[\]]|$)", plan):
        name, _, kind = part.partition("|")
        label = name.partition("#")[0]
        if sign == "[":
            boxes.append(DrawnBox(id=name, label=label, inside=around[-1]))
            around.append(name)
        elif name:
            icons.append(DrawnIcon(id=name, label=label, kind=kind, inside=around[-1]))
        if sign == "]":
            around.pop()
    ways = {">": "forward", "<": "back", "<>": "both", "-": "none"}
    ends = [re.findall("(.+) ([<>-]+) ([^:]+)(?:: (.*))?", arrow)[0] for arrow in arrows]
    drawn = [
        DrawnArrow(tail=tail, head=head, label=label, direction=ways[way])
        for tail, way, head, label in ends
    ]
    return Drawing(boxes=tuple(boxes), icons=tuple(icons), arrows=tuple(drawn))


STEP_ONE = """
with Cluster("My computer"):
    browser = Client("browser")
    with Cluster("Docker Engine"):
        image = Storage("image rails-app")
        container = Docker("container")
image >> container << browser
"""

GOOD = f"""{STEP_ONE}
with Cluster("AWS Cloud"):
    iam = IAM("IAM")
    ecr = ECR("rails-app")
    with Cluster("VPC ecs-handson-vpc"):
        with Cluster("us-east-1a"):
            PublicSubnet("public subnet 1")
        with Cluster("us-east-1b"):
            PublicSubnet("public subnet 2")
        fargate = Fargate("ecs-handson-cluster")
image >> Edge(label="sign in") >> iam >> ecr
image >> Edge(label="push") >> ecr >> Edge(label="pull") >> fargate
"""

SENSIBLE: dict[str, str | Drawing] = {
    "as the task says, in English": GOOD,
    "in Japanese": sketch(
        "自分のコンピューター[ブラウザー; Docker Engine[イメージ; コンテナ]]; AWS クラウド["
        "倉庫|aws/compute/ec2-container-registry; VPC(10.0.0.0/16)["
        "アベイラビリティーゾーン A[パブリックサブネット 1];"
        "アベイラビリティーゾーン B[パブリックサブネット 2]; Fargate のクラスター]]",
        *("イメージ > コンテナ", "ブラウザー > コンテナ", "イメージ > 倉庫: 認証してプッシュ"),
        "Fargate のクラスター < 倉庫: プル",
    ),
    "Fargate in each subnet": sketch(
        "PC[image]; AWS[IAM; ECR; VPC["
        "AZ-a[public subnet#1[Fargate#1]]; AZ-c[public subnet#2[Fargate#2]]]]",
        *("image > IAM", "IAM > ECR", "image > ECR", "ECR > Fargate#1", "ECR > Fargate#2"),
    ),
    "two zones in one box of subnets": sketch(
        "PC[image]; Amazon Web Services[ECR; VPC[Fargate; Public subnets["
        "us-east-1a|aws/network/public-subnet; us-east-1b|aws/network/public-subnet]]]",
        *("image > ECR: ログイン", "image > ECR: push", "Fargate < ECR"),
    ),
    "names as AWS has them": STEP_ONE
    + """
with Cluster("AWS(us-east-1)"):
    ecr = ECR("rails-app")
    with Cluster("ネットワーク ecs-handson-vpc"):
        with Cluster("ECSクラスター ecs-handson-cluster(Fargate)"):
            with Cluster("1つ目のAZ"):
                one = PublicSubnet("ecs-handson-subnet-public1-us-east-1a")
            with Cluster("2つ目のAZ"):
                two = PublicSubnet("ecs-handson-subnet-public2-us-east-1b")
            mall = Node("タスクが動く場所")
image >> Edge(label="aws ecr get-login-password\\ndocker push") >> ecr
ecr >> Edge(label="pull (step 3)", style="dashed") >> mall
""",
    "services in boxes with their full names": sketch(
        "PC[image]; お客さん; AWS Cloud[AWS IAM[#iam|aws/security/identity-and-access-management];"
        "Amazon Elastic Container Registry[#ecr|aws/compute/ec2-container-registry]; Amazon VPC["
        "#gate|aws/network/internet-gateway; Amazon ECS / AWS Fargate["
        "Availability Zone 1[Public subnet#1[#1|aws/compute/elastic-container-service-container]];"
        "Availability Zone 2[Public subnet#2[#2|aws/compute/elastic-container-service-container]]"
        "]]]",
        *("お客さん > #gate", "image > #iam", "image > #ecr", "#ecr > #1", "#ecr > #2"),
    ),
}


def changed(*replacements: tuple[str, str]) -> str:
    """Return the good drawing with something else in some places."""
    drawing = GOOD
    for old, new in replacements:
        assert old in drawing
        drawing = drawing.replace(old, new)
    return drawing


def observed(**facts: Any) -> dict[str, Any]:
    """Return what is observed of false facts, by their ids without "drawing."."""
    return {f"drawing.{name.replace('_', '-')}": value for name, value in facts.items()}


_ECR = ('    ecr = ECR("rails-app")\n', "")
_SIGN_IN = ('image >> Edge(label="sign in") >> iam >> ecr', "image >> iam")
_PUSH = 'image >> Edge(label="push") >> ecr'
_PULL = 'ecr >> Edge(label="pull") >> fargate'
_LOGIN = ("image > ECR: login", "ECR > Fargate")

# A drawing, what is observed of its false facts, and the causes without "drawing-".
WRONG: dict[str, tuple[str | Drawing, dict[str, Any], str]] = {
    "step 1 alone": (
        STEP_ONE,
        observed(
            cloud=False, vpc=False, zones=0, subnets=0, cluster=None, spread=False,
            registry=False, registry_outside=False, sign_in=False, push=False, pull=False),
        "cloud vpc zones subnets cluster registry sign-in"),
    "no box for AWS": (changed(("AWS Cloud", "stuff")), observed(cloud=False), "cloud"),
    "no box for the VPC": (changed(("VPC ecs-handson-vpc", "x")), observed(vpc=False), "vpc"),
    "both subnets in one zone": (
        changed(('        with Cluster("us-east-1b"):\n            P', "            P")),
        observed(zones=1, subnets=1), "zones subnets"),
    "a zone without a subnet": (
        changed(('PublicSubnet("public subnet 2")', 'Node("empty")')),
        observed(subnets=1), "subnets"),
    "private subnets": (
        changed(('PublicSubnet("public ', 'PrivateSubnet("private ')),
        observed(subnets=0, private=2), "subnets-public private"),
    "subnets of no kind": (
        changed(('PublicSubnet("public ', 'Node("')), observed(subnets=0), "subnets-public"),
    "a private subnet that nobody made": (
        changed(('2")', '2"); PrivateSubnet("private subnet")')), observed(private=1), "private"),
    "ECR inside the VPC": (
        changed(_ECR, ("        fargate =", '        ecr = ECR("rails-app")\n        fargate =')),
        observed(registry_outside=False), "registry-inside"),
    "ECR on the learner's computer": (
        changed(_ECR, ("        image =", '        ecr = ECR("rails-app")\n        image =')),
        observed(registry=False, registry_outside=False), "registry"),
    "no ECR": (
        changed(_ECR, (f'iam >> ecr\n{_PUSH} >> Edge(label="pull") >>', "iam >>")),
        observed(registry=False, registry_outside=False, push=False, pull=False), "registry"),
    "servers": (
        changed(("        fargate =", '        EC2("web 1"); EC2("web 2")\n        fargate =')),
        observed(servers=2), "servers"),
    "servers in the place of the cluster": (
        changed(('Fargate("ecs-handson-cluster")', 'EC2("web")')),
        observed(cluster=None, spread=False, servers=1, pull=False), "cluster servers"),
    "a cluster of nothing in particular": (
        changed(('Fargate("ecs-', 'ECS("ecs-')), observed(cluster="ECS"), "fargate"),
    "the cluster in one zone": (
        changed(("        fargate =", "            fargate =")), observed(spread=False), "spread"),
    "no authentication": (
        changed(('image >> Edge(label="sign in") >> iam >> ecr\n', "")),
        observed(sign_in=False), "sign-in"),
    "a container is pushed": (
        changed((_PUSH, "container >> ecr"), _SIGN_IN), observed(push=False), "push-container"),
    "the push points home": (
        changed((_PUSH, "image << ecr"), _SIGN_IN), observed(push=False), "push-backwards"),
    "nothing is pushed": (changed((_PUSH, "ecr"), _SIGN_IN), observed(push=False), "push"),
    "nothing is pulled": (changed((_PULL, "ecr")), observed(pull=False), "pull"),
    "the pull points to ECR": (
        changed((_PULL, "ecr << fargate")), observed(pull=False), "pull-backwards"),
    "the computer inside AWS": (
        'with Cluster("AWS Cloud"):\n' + indent(changed(("AWS Cloud", "step 2")).strip(), "    "),
        observed(computer=False, sign_in=False, push=False), "computer sign-in push"),
    "a VPC for each zone": (
        sketch("PC[image]; AWS[ECR; Fargate; us-east-1a[VPC#1[public subnet 1]];"
               "us-east-1b[VPC#2[public subnet 2]]]", *_LOGIN),
        observed(vpc=False), "vpc-border"),
    "subnets outside the VPC": (
        sketch("PC[image]; AWS[ECR; Fargate; VPC[gate|aws/network/internet-gateway];"
               "us-east-1a[public subnet 1]; us-east-1b[public subnet 2]]", *_LOGIN),
        observed(vpc=False, subnets=0), "vpc-border subnets"),
    "one subnet across both zones": (
        sketch("PC[image]; AWS[ECR; VPC[Fargate; Public subnet["
               "us-east-1a[task#1]; us-east-1b[task#2]]]]", *_LOGIN),
        observed(subnets=0), "subnets"),
}  # fmt: skip
