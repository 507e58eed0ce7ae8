"""Step 1 as a picture: the shop in Docker on one computer.

    python diagrams/step1_local.py

writes step1_local.ja.svg and step1_local.en.svg beside this file.
"""

from pathlib import Path

from diagrams import Cluster, Edge
from diagrams.aws.compute import EC2ContainerRegistryImage as Image
from diagrams.aws.compute import ElasticContainerServiceContainer as Container
from diagrams.onprem.client import Client
from diagrams.programming.framework import Rails

from handson.drawing import Diagram

HERE = Path(__file__).parent


def draw(language: str, folder: Path = HERE) -> None:
    def say(ja: str, en: str) -> str:
        return ja if language == "ja" else en

    title = say(
        "ステップ 1: 自分のコンピューターの中の Docker", "Step 1: Docker on your own computer"
    )
    file = f"{folder}/step1_local.{language}"
    with Diagram(title, file, language=language, show=False):
        with Cluster(say("自分のコンピューター", "Your computer")):
            source = Rails(say("EC サイト(Rails)", "The shop (Rails)") + "\nDockerfile")
            with Cluster("Docker Engine"):
                image = Image(say("イメージ", "Image") + "\nrails-app:latest")
                container = Container(say("コンテナ", "Container") + "\nRails :3000")
            browser = Client(say("ブラウザー", "Browser") + "\nlocalhost:3000")
        source >> Edge(label="docker build") >> image
        image >> Edge(label="docker run") >> container
        container << Edge(label="HTTP") << browser


if __name__ == "__main__":
    draw("ja")
    draw("en")
