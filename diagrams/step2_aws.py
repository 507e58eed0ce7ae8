"""Step 2 as a picture: what stands on AWS when the workshop is done; no AWS is asked.

    python diagrams/step2_aws.py

writes step2_aws.ja.svg and step2_aws.en.svg beside this file.
"""

from pathlib import Path

from diagrams import Cluster, Edge
from diagrams.aws.compute import ECR, Fargate
from diagrams.aws.compute import EC2ContainerRegistryImage as Image
from diagrams.aws.devtools import CommandLineInterface
from diagrams.aws.network import InternetGateway, PublicSubnet
from diagrams.aws.security import IAM
from diagrams.onprem.client import Client

from handson.drawing import Diagram

HERE = Path(__file__).parent
RED, PURPLE = "#C7131F", "#7A3DE8"


def draw(language: str, folder: Path = HERE) -> None:
    def say(ja: str, en: str) -> str:
        return ja if language == "ja" else en

    title = say("ステップ 2: AWS に用意したもの", "Step 2: what stands ready on AWS")
    file = f"{folder}/step2_aws.{language}"
    with Diagram(title, file, language=language, show=False):
        with Cluster(say("自分のコンピューター", "Your computer")):
            browser = Client(say("ブラウザー", "Browser"))
            with Cluster("Docker Engine"):
                image = Image("rails-app:latest")
            cli = CommandLineInterface("AWS CLI")

        with Cluster(say("AWS クラウド", "AWS Cloud")), Cluster("us-east-1"):
            iam = IAM("IAM / STS")
            ecr = ECR("Amazon ECR\nrails-app")
            with Cluster("VPC ecs-handson-vpc 10.0.0.0/16"):
                gateway = InternetGateway("ecs-handson-igw")
                subnets = []
                for zone, block in [("us-east-1a", "10.0.0.0/20"), ("us-east-1b", "10.0.16.0/20")]:
                    with Cluster(say("アベイラビリティーゾーン ", "Availability Zone ") + zone):
                        name = say("パブリックサブネット", "Public subnet")
                        subnets.append(PublicSubnet(f"{name}\n{block}"))
            # A cluster belongs to a Region, not to a VPC: a task names its subnet when it runs.
            with Cluster(say("ECS クラスター ", "ECS cluster ") + "ecs-handson-cluster"):
                fargate = Fargate("AWS Fargate")

        cli >> Edge(label=say("① 認証", "① sign in"), color=RED) >> iam
        iam >> Edge(label=say("② トークン", "② token"), color=RED) >> ecr
        image >> Edge(label=say("③ プッシュ", "③ push")) >> ecr
        ecr >> Edge(label=say("④ プル (ステップ 3)", "④ pull (step 3)"), style="dashed") >> fargate
        tasks = say("タスク (ステップ 3)", "tasks (step 3)")
        subnets << Edge(label=tasks, style="dashed") << fargate
        browser >> Edge(label=say("ステップ 3", "step 3"), style="dashed") >> gateway
        gateway >> Edge(label="0.0.0.0/0", color=PURPLE) >> subnets


if __name__ == "__main__":
    draw("ja")
    draw("en")
