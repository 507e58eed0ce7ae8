"""Diagrams as learners draw them: sensible ones, and ones that get something wrong.

Each is the body of a ``with Diagram(…):`` block.  `draw` runs it and returns what it shows.
"""

from __future__ import annotations

from textwrap import indent
from typing import Any

import diagrams
from diagrams.aws import compute, network, security
from diagrams.generic import storage
from diagrams.onprem import client, container

from handson.course.state import Drawing
from handson.drawing import Diagram, describe_last_diagram

_MODULES = (diagrams, compute, network, security, storage, client, container)
_NAMES: dict[str, Any] = {
    **{name: value for module in _MODULES for name, value in vars(module).items()},
    "Diagram": Diagram,
    "Task": compute.ElasticContainerServiceContainer,
    "STS": security.IdentityAndAccessManagementIamAWSSts,
}


def draw(body: str) -> Drawing:
    """Run the body of a diagram and return what it shows."""
    code = f'with Diagram("x", show=False):\n{indent(body.strip(), "    ")}'
    exec(code, dict(_NAMES))
    drawn = describe_last_diagram()
    assert drawn is not None
    return drawn


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

SENSIBLE = {
    "as the task says, in English": GOOD,
    "in Japanese": """
with Cluster("自分のコンピューター"):
    browser = Client("ブラウザー")
    with Cluster("Docker Engine"):
        image = Storage("イメージ")
        container = Docker("コンテナ")
image >> container << browser
with Cluster("AWS クラウド"):
    ecr = ECR("イメージの倉庫")
    with Cluster("VPC(10.0.0.0/16)"):
        with Cluster("アベイラビリティーゾーン A"):
            PublicSubnet("パブリックサブネット 1")
        with Cluster("アベイラビリティーゾーン B"):
            PublicSubnet("パブリックサブネット 2")
        mall = Fargate("Fargate のクラスター")
image >> Edge(label="認証してプッシュ") >> ecr
mall << Edge(label="プル") << ecr
""",
    "Fargate in each subnet": STEP_ONE
    + """
with Cluster("AWS"):
    sts = STS("STS")
    ecr = ECR("ECR")
    with Cluster("VPC"):
        with Cluster("AZ-a"):
            with Cluster("public subnet"):
                one = Fargate("Fargate")
        with Cluster("AZ-c"):
            with Cluster("public subnet"):
                two = Fargate("Fargate")
image >> sts
sts >> ecr
image >> ecr
ecr >> one
ecr >> two
""",
    "two zones in one box of subnets": STEP_ONE
    + """
with Cluster("Amazon Web Services"):
    ecr = ECR("Elastic Container Registry")
    with Cluster("VPC"):
        with Cluster("Public subnets"):
            PublicSubnet("us-east-1a")
            PublicSubnet("us-east-1b")
        fargate = Fargate("ECS on AWS Fargate")
image >> Edge(label="ログイン") >> ecr
image >> Edge(label="push") >> ecr
fargate << ecr
""",
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
    "services in boxes with their full names": STEP_ONE
    + """
guest = User("お客さん")
with Cluster("AWS Cloud"):
    with Cluster("AWS IAM"):
        iam = IAM("")
    with Cluster("Amazon Elastic Container Registry"):
        ecr = ECR("")
    with Cluster("Amazon VPC"):
        gate = InternetGateway("")
        with Cluster("Amazon ECS / AWS Fargate"):
            with Cluster("Availability Zone 1"):
                with Cluster("Public subnet"):
                    one = Task("")
            with Cluster("Availability Zone 2"):
                with Cluster("Public subnet"):
                    two = Task("")
guest >> gate
image >> iam
image >> ecr
ecr >> one
ecr >> two
""",
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
_LOGIN = """
image >> Edge(label="login") >> ecr >> fargate
"""

# A drawing, what is observed of its false facts, and the causes without "drawing-".
WRONG: dict[str, tuple[str, dict[str, Any], str]] = {
    "step 1 alone": (
        STEP_ONE,
        observed(
            cloud=False, vpc=False, zones=0, subnets=0, cluster=None, spread=False,
            registry=False, registry_outside=False, sign_in=False, push=False, pull=False),
        "cloud vpc zones subnets cluster registry sign-in"),
    "no box for AWS": (changed(("AWS Cloud", "stuff")), observed(cloud=False), "cloud"),
    "no box for the VPC": (
        changed(("VPC ecs-handson-vpc", "x")), observed(vpc=False), "vpc"),
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
        changed((
            'PublicSubnet("public subnet 2")',
            'PublicSubnet("public subnet 2"); PrivateSubnet("private subnet")')),
        observed(private=1), "private"),
    "ECR inside the VPC": (
        changed(_ECR, ("        fargate =", '        ecr = ECR("rails-app")\n        fargate =')),
        observed(registry_outside=False), "registry-inside"),
    "ECR on the learner's computer": (
        changed(_ECR, ("        image =", '        ecr = ECR("rails-app")\n        image =')),
        observed(registry=False, registry_outside=False), "registry"),
    "no ECR": (
        changed(_ECR, (
            f'iam >> ecr\n{_PUSH} >> Edge(label="pull") >>', "iam >>")),
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
        STEP_ONE + """
with Cluster("AWS Cloud"):
    ecr = ECR("rails-app")
    fargate = Fargate("cluster")
    with Cluster("us-east-1a"):
        with Cluster("VPC"):
            PublicSubnet("public subnet 1")
    with Cluster("us-east-1b"):
        with Cluster("VPC"):
            PublicSubnet("public subnet 2")""" + _LOGIN,
        observed(vpc=False), "vpc-border"),
    "subnets outside the VPC": (
        STEP_ONE + """
with Cluster("AWS Cloud"):
    ecr = ECR("rails-app")
    fargate = Fargate("cluster")
    with Cluster("VPC"):
        InternetGateway("gateway")
    with Cluster("us-east-1a"):
        PublicSubnet("public subnet 1")
    with Cluster("us-east-1b"):
        PublicSubnet("public subnet 2")""" + _LOGIN,
        observed(vpc=False, subnets=0), "vpc-border subnets"),
    "one subnet across both zones": (
        STEP_ONE + """
with Cluster("AWS Cloud"):
    ecr = ECR("rails-app")
    with Cluster("VPC"):
        fargate = Fargate("cluster")
        with Cluster("Public subnet"):
            with Cluster("us-east-1a"):
                Node("task")
            with Cluster("us-east-1b"):
                Node("task")""" + _LOGIN,
        observed(subnets=0), "subnets"),
}  # fmt: skip
