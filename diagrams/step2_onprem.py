"""Step 2 on premises as a picture: the same job with machines that the company buys and runs.

    python diagrams/step2_onprem.py

writes step2_onprem.ja.svg and step2_onprem.en.svg beside this file.
"""

from pathlib import Path

from diagrams import Cluster, Edge
from diagrams.aws.compute import EC2ContainerRegistryImage as Image
from diagrams.aws.general import GenericSamlToken as Account
from diagrams.generic.network import VPN, Firewall
from diagrams.k8s.infra import Master
from diagrams.onprem.client import Client
from diagrams.onprem.compute import Server
from diagrams.onprem.registry import Harbor

from handson.drawing import Diagram

HERE = Path(__file__).parent
RED, BLUE = "#C7131F", "#3F5C8A"


def draw(language: str, folder: Path = HERE) -> None:
    def say(ja: str, en: str) -> str:
        return ja if language == "ja" else en

    title = say("同じ仕組みをオンプレミスで作ると", "The same job on premises")
    file = f"{folder}/step2_onprem.{language}"
    with Diagram(title, file, language=language, show=False):
        with Cluster(say("自分のコンピューター", "Your computer")):
            browser = Client(say("ブラウザー", "Browser"))
            with Cluster("Docker Engine"):
                image = Image("rails-app:latest")
            account = Account(say("社内アカウント", "company account"))

        with Cluster(say("自社データセンター", "Your data center")):
            vpn = VPN("VPN, LDAP")
            harbor = Harbor("Harbor\nrails-app")
            with Cluster(say("社内ネットワーク 10.0.0.0/16", "Company network 10.0.0.0/16")):
                firewall = Firewall(say("ファイアウォール・\nルーター", "Firewall, router"))
                servers = []
                for room, block in [("B", "10.0.16.0/20"), ("A", "10.0.0.0/20")]:
                    with Cluster(say("サーバー室 ", "Server room ") + room):
                        name = say("物理サーバー", "Physical servers")
                        servers.append(Server(f"{name}\nVLAN {block}"))
                cluster = Master("Kubernetes")

        account >> Edge(label=say("① 接続と認証", "① connect"), color=RED) >> vpn
        vpn >> Edge(label=say("② ログイン", "② log in"), color=RED) >> harbor
        image >> Edge(label=say("③ プッシュ", "③ push")) >> harbor
        harbor >> Edge(label=say("④ プル", "④ pull"), style="dashed") >> cluster
        browser >> Edge(style="dashed") >> firewall
        firewall >> Edge(label=say("スイッチ", "switches"), color=BLUE) >> servers


if __name__ == "__main__":
    draw("ja")
    draw("en")
