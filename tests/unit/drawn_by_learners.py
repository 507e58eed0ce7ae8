"""Diagrams as learners draw them: sensible ones, and ones that get something wrong.

Each is the body of a ``with Diagram(…):`` block.  `draw` runs it and returns what it shows.
"""

from __future__ import annotations

from textwrap import indent
from typing import Any

import diagrams
from diagrams.aws import compute, general, network, security
from diagrams.generic import storage
from diagrams.onprem import client, container
from diagrams.onprem.compute import Server

from handson.course.state import Drawing
from handson.drawing import Diagram, describe_last_diagram

_NAMES: dict[str, Any] = {
    "Diagram": Diagram,
    "Cluster": diagrams.Cluster,
    "Edge": diagrams.Edge,
    "Node": diagrams.Node,
    "Storage": storage.Storage,
    "Client": client.Client,
    "User": client.User,
    "Docker": container.Docker,
    "Server": Server,
    "ECR": compute.ECR,
    "ECRImage": compute.EC2ContainerRegistryImage,
    "ECS": compute.ECS,
    "Task": compute.ElasticContainerServiceContainer,
    "EC2": compute.EC2,
    "Fargate": compute.Fargate,
    "VPC": network.VPC,
    "PublicSubnet": network.PublicSubnet,
    "PrivateSubnet": network.PrivateSubnet,
    "InternetGateway": network.InternetGateway,
    "IAM": security.IAM,
    "STS": security.IdentityAndAccessManagementIamAWSSts,
    "TraditionalServer": general.TraditionalServer,
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

GOOD = (
    STEP_ONE
    + """
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
)

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
    "the cluster as a box with tasks in both zones": STEP_ONE
    + """
with Cluster("AWS"):
    ecr = ECR("ECR")
    with Cluster("VPC"):
        with Cluster("ECS cluster (Fargate)"):
            with Cluster("AZ 1a"):
                with Cluster("Public subnet"):
                    one = Task("task")
            with Cluster("AZ 1b"):
                with Cluster("Public subnet"):
                    two = Task("task")
image >> Edge(label="docker login, docker push") >> ecr
ecr >> [one, two]
""",
    "zones as words on the subnets": STEP_ONE
    + """
with Cluster("AWS Cloud / us-east-1"):
    ecr = ECR("rails-app")
    with Cluster("ecs-handson-vpc"):
        PublicSubnet("public us-east-1a")
        PublicSubnet("public us-east-1b")
        fargate = Fargate("cluster")
image >> Edge(label="token") >> ecr
ecr >> fargate
""",
    "subnets as boxes that name their zones": STEP_ONE
    + """
with Cluster("AWS Cloud"):
    ecr = ECR("rails-app")
    fargate = Fargate("ecs-handson-cluster")
    with Cluster("VPC"):
        with Cluster("Public subnet (AZ a)"):
            one = Node("10.0.0.0/20")
        with Cluster("Public subnet (AZ b)"):
            two = Node("10.0.16.0/20")
        fargate - one
        fargate - two
image >> Edge(label="push with a token") >> ecr >> fargate
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
    "a region around everything": STEP_ONE
    + """
with Cluster("AWS クラウド"):
    with Cluster("リージョン us-east-1"):
        iam = IAM("IAM")
        with Cluster("ECR"):
            stored = ECRImage("rails-app:latest")
        with Cluster("VPC"):
            gate = InternetGateway("igw")
            with Cluster("AZ us-east-1a"):
                one = PublicSubnet("subnet 1")
            with Cluster("AZ us-east-1b"):
                two = PublicSubnet("subnet 2")
            cluster = Fargate("Fargate")
browser >> gate >> [one, two]
image >> iam
image >> Edge(label="push") >> stored >> cluster
""",
    "the way goes through the command line": """
with Cluster("PC"):
    source = Node("Rails + Dockerfile")
    cli = Node("AWS CLI")
    image = Docker("docker image")
    source >> Edge(label="docker build") >> image
with Cluster("AWS cloud"):
    iam = IAM("authentication")
    registry = ECR("repository rails-app")
    with Cluster("Virtual private cloud"):
        with Cluster("Availability Zone us-east-1a"):
            PublicSubnet("public")
        with Cluster("Availability Zone us-east-1b"):
            PublicSubnet("public")
    with Cluster("ECS cluster on Fargate"):
        tasks = ECS("tasks (step 3)")
cli >> iam
iam >> registry
image >> registry
registry >> tasks
""",
    "the cluster pulls": STEP_ONE
    + """
with Cluster("AWS Cloud"):
    ecr = ECR("rails-app")
    with Cluster("VPC"):
        with Cluster("zone 1"):
            PublicSubnet("public subnet")
        with Cluster("zone 2"):
            PublicSubnet("public subnet")
        fargate = Fargate("ecs-handson-cluster")
image >> Edge(label="login + push") >> ecr
fargate >> Edge(label="pull") >> ecr
""",
    "icons without boxes for subnets, the VPC's icon as a title": STEP_ONE
    + """
with Cluster("AWS"):
    iam = IAM("IAM / STS")
    ecr = ECR("ECR")
    with Cluster("10.0.0.0/16"):
        VPC("ecs-handson-vpc")
        with Cluster("us-east-1a"):
            a = PublicSubnet("10.0.0.0/20")
        with Cluster("us-east-1b"):
            b = PublicSubnet("10.0.16.0/20")
        mall = Fargate("mall")
container - browser
image >> iam
iam >> ecr
ecr >> mall
""",
    "in the shop's words": """
with Cluster("自宅のパソコン"):
    image = Storage("お店のイメージ")
with Cluster("AWS クラウド"):
    gate = IAM("門番(認証)")
    depot = ECR("倉庫 ECR")
    with Cluster("VPC(商業地区)"):
        with Cluster("データセンター 1a"):
            PublicSubnet("公開サブネット")
        with Cluster("データセンター 1b"):
            PublicSubnet("公開サブネット")
        mall = Fargate("モール")
image >> gate >> depot >> mall
""",
    "private subnets are not what step 2 made, but a private repository is": GOOD.replace(
        'ECR("rails-app")', 'ECR("rails-app (private)")'
    ),
    "a server as one's own computer": GOOD.replace('Client("browser")', 'Server("my PC")'),
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
    "full-width letters and a line break": GOOD.replace(
        "VPC ecs-handson-vpc", "ＶＰＣ\\necs"
    ).replace("AWS Cloud", "ＡＷＳ"),
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
    "services in boxes of their own": STEP_ONE
    + """
with Cluster("AWS Cloud"):
    with Cluster("Amazon ECR"):
        ecr = Storage("rails-app:latest")
    with Cluster("IAM"):
        login = IAM("get-login-password")
    with Cluster("VPC"):
        with Cluster("Fargate cluster"):
            with Cluster("AZ a"):
                with Cluster("Public subnet 1"):
                    one = Node("task (step 3)")
            with Cluster("AZ b"):
                with Cluster("Public subnet 2"):
                    two = Node("task (step 3)")
image >> login
image >> ecr >> [one, two]
""",
}


def changed(old: str, new: str, *, drawing: str = GOOD) -> str:
    """Return a drawing with something else in a place."""
    assert old in drawing
    return drawing.replace(old, new)


WRONG: dict[str, tuple[str, set[str]]] = {
    "step 1 alone": (
        STEP_ONE,
        {
            "drawing.cloud",
            "drawing.vpc",
            "drawing.zones",
            "drawing.subnets",
            "drawing.cluster",
            "drawing.spread",
            "drawing.registry",
            "drawing.registry-outside",
            "drawing.sign-in",
            "drawing.push",
            "drawing.pull",
        },
    ),
    "no box for AWS": (changed('Cluster("AWS Cloud")', 'Cluster("stuff")'), {"drawing.cloud"}),
    "no box for the VPC": (
        changed('Cluster("VPC ecs-handson-vpc")', 'Cluster("x")'),
        {"drawing.vpc"},
    ),
    "one zone": (
        changed('"us-east-1b"', '"us-east-1a"'),
        {"drawing.zones", "drawing.subnets"},
    ),
    "both subnets in one zone": (
        changed('        with Cluster("us-east-1b"):\n            P', "            P"),
        {"drawing.zones", "drawing.subnets"},
    ),
    "a zone without a subnet": (
        changed('PublicSubnet("public subnet 2")', 'Node("empty")'),
        {"drawing.subnets"},
    ),
    "private subnets": (
        changed('PublicSubnet("public ', 'PrivateSubnet("private '),
        {"drawing.subnets", "drawing.private"},
    ),
    "subnets of no kind": (
        changed('PublicSubnet("public ', 'Node("'),
        {"drawing.subnets"},
    ),
    "a private subnet that nobody made": (
        changed(
            'PublicSubnet("public subnet 2")',
            'PublicSubnet("public subnet 2"); PrivateSubnet("private subnet")',
        ),
        {"drawing.private"},
    ),
    "ECR inside the VPC": (
        changed('    ecr = ECR("rails-app")\n', "").replace(
            "        fargate =", '        ecr = ECR("rails-app")\n        fargate ='
        ),
        {"drawing.registry-outside"},
    ),
    "ECR on the learner's computer": (
        changed('    ecr = ECR("rails-app")\n', "").replace(
            "        image =", '        ecr = ECR("rails-app")\n        image ='
        ),
        {"drawing.registry", "drawing.registry-outside"},
    ),
    "no ECR": (
        changed('    ecr = ECR("rails-app")\n', "").replace(
            'iam >> ecr\nimage >> Edge(label="push") >> ecr >> Edge(label="pull") >>', "iam >>"
        ),
        {"drawing.registry", "drawing.registry-outside", "drawing.push", "drawing.pull"},
    ),
    "servers": (
        changed("        fargate =", '        EC2("web 1"); EC2("web 2")\n        fargate ='),
        {"drawing.servers"},
    ),
    "a traditional server": (
        changed("        fargate =", '        TraditionalServer("app")\n        fargate ='),
        {"drawing.servers"},
    ),
    "servers in the place of the cluster": (
        changed('Fargate("ecs-handson-cluster")', 'EC2("web")'),
        {"drawing.servers", "drawing.cluster", "drawing.spread", "drawing.pull"},
    ),
    "a cluster of nothing in particular": (
        changed('Fargate("ecs-', 'ECS("ecs-'),
        {"drawing.cluster"},
    ),
    "the cluster in one zone": (
        changed("        fargate =", "            fargate ="),
        {"drawing.spread"},
    ),
    "no authentication": (
        changed('image >> Edge(label="sign in") >> iam >> ecr\n', ""),
        {"drawing.sign-in"},
    ),
    "a container is pushed": (
        changed('image >> Edge(label="push") >> ecr', "container >> ecr").replace(
            'image >> Edge(label="sign in") >> iam >> ecr', "image >> iam"
        ),
        {"drawing.push"},
    ),
    "the push points home": (
        changed('image >> Edge(label="push") >> ecr', "image << ecr").replace(
            'image >> Edge(label="sign in") >> iam >> ecr', "image >> iam"
        ),
        {"drawing.push"},
    ),
    "nothing is pushed": (
        changed('image >> Edge(label="push") >> ecr', "ecr").replace(
            'image >> Edge(label="sign in") >> iam >> ecr', "image >> iam"
        ),
        {"drawing.push"},
    ),
    "nothing is pulled": (
        changed('ecr >> Edge(label="pull") >> fargate', "ecr"),
        {"drawing.pull"},
    ),
    "the pull points to ECR": (
        changed('ecr >> Edge(label="pull") >> fargate', "ecr << fargate"),
        {"drawing.pull"},
    ),
    "the image skips ECR": (
        changed(
            'image >> Edge(label="push") >> ecr >> Edge(label="pull") >> fargate',
            "image >> fargate",
        ).replace('image >> Edge(label="sign in") >> iam >> ecr', "image >> iam"),
        {"drawing.push", "drawing.pull"},
    ),
    "the computer inside AWS": (
        'with Cluster("AWS Cloud"):\n'
        + indent(changed('with Cluster("AWS Cloud"):', 'with Cluster("step 2"):').strip(), "    "),
        {"drawing.computer", "drawing.sign-in", "drawing.push"},
    ),
    "a VPC for each zone": (
        STEP_ONE
        + """
with Cluster("AWS Cloud"):
    ecr = ECR("rails-app")
    fargate = Fargate("cluster")
    with Cluster("us-east-1a"):
        with Cluster("VPC"):
            PublicSubnet("public subnet 1")
    with Cluster("us-east-1b"):
        with Cluster("VPC"):
            PublicSubnet("public subnet 2")
image >> Edge(label="login") >> ecr >> fargate
""",
        {"drawing.vpc"},
    ),
    "subnets outside the VPC": (
        STEP_ONE
        + """
with Cluster("AWS Cloud"):
    ecr = ECR("rails-app")
    fargate = Fargate("cluster")
    with Cluster("VPC"):
        InternetGateway("gateway")
    with Cluster("us-east-1a"):
        PublicSubnet("public subnet 1")
    with Cluster("us-east-1b"):
        PublicSubnet("public subnet 2")
image >> Edge(label="login") >> ecr >> fargate
""",
        {"drawing.vpc", "drawing.subnets"},
    ),
    "one subnet across both zones": (
        STEP_ONE
        + """
with Cluster("AWS Cloud"):
    ecr = ECR("rails-app")
    with Cluster("VPC"):
        fargate = Fargate("cluster")
        with Cluster("Public subnet"):
            with Cluster("us-east-1a"):
                Node("task")
            with Cluster("us-east-1b"):
                Node("task")
image >> Edge(label="login") >> ecr >> fargate
""",
        {"drawing.subnets"},
    ),
    "a VPC around AWS": (
        STEP_ONE
        + """
with Cluster("VPC"):
    with Cluster("AWS Cloud"):
        ecr = ECR("rails-app")
        fargate = Fargate("cluster")
        with Cluster("us-east-1a"):
            PublicSubnet("public subnet 1")
        with Cluster("us-east-1b"):
            PublicSubnet("public subnet 2")
image >> Edge(label="login") >> ecr >> fargate
""",
        {"drawing.cloud", "drawing.registry-outside"},
    ),
}
