"""The architecture on AWS, as one look at the target saw it."""

from __future__ import annotations

from handson.course.state import Snapshot
from handson.drawing.compare import Remarks
from handson.drawing.plan import Computer, Part, Plan, Steps, Theme
from handson.drawing.seen import Seen
from handson.drawing.text import clean
from handson.drawing.view import View
from handson.drawing.words import Words

THEME = Theme(
    outer="#232F3E",
    region="#007C7E",
    network="#7A3DE8",
    zone="#007C7E",
    public=("#4F7A00", "#F2F7E6"),
    private=("#0B6FB8", "#E8F3FB"),
    group=("#B85400", "#FFF4E8"),
    registry=("#B85400", "#FFF4E8"),
    computer=("#232F3E", "#F5F7FA"),
    image="#ED7100",
)


def plan(snapshot: Snapshot, words: Words, remarks: Remarks | None = None) -> Plan:
    """Return what to paint for a snapshot; what it lacks becomes a dashed outline."""
    found = remarks or Remarks()
    seen = Seen(snapshot)
    view = View(seen, words, found)
    kind = f"-{found.kind}" if found.kind else ""
    return Plan(
        title=words(f"aws-title{kind}"),
        description=clean(" ".join(view.description())),
        language=words.language,
        theme=THEME,
        computer=computer(
            words,
            image=seen.short_name,
            login=Part("aws.devtools.CommandLineInterface", (words("cli"), "get-login-password")),
        ),
        outer=Part("", (words("aws-cloud"),)),
        region=words("region", region=seen.region),
        login=Part("aws.security.IAM", (words("login-part"), words("login-detail"))),
        registry=view.registry(),
        image=view.image(),
        network=view.network(),
        group=view.group(),
        steps=_steps(words),
        legend=words("legend"),
        others=view.others(),
        reasons=view.reasons(),
        signs=tuple((sign, words(f"sign-{sign}")) for sign in found.kinds()),
    )


def computer(words: Words, *, image: str, login: Part) -> Computer:
    """Return the learner's computer with the image it built and what it signs in with."""
    return Computer(
        name=words("computer"),
        browser=Part("onprem.client.Client", (words("browser"),)),
        login=login,
        docker=words("docker"),
        image=Part("aws.compute.EC2ContainerRegistryImage", (image, words("built"))),
    )


def _steps(words: Words) -> Steps:
    return Steps(
        internet=words("step-internet"),
        login=(words("step-login"),),
        token=(words("step-token"), "docker login"),
        push=(words("step-push"), "docker push"),
        pull=(words("step-pull"), words("step-pull-when")),
    )
