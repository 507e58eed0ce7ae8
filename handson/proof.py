"""A proof beside the notebooks: the learner's chain of evidence, signed by AWS."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from handson import messages, tokens
from handson.aws import Aws
from handson.cards import Card, Rows, Shown
from handson.errors import AWSError, NotAllowed, NotReady
from handson.evidence import Journal

_SWITCHED_OFF = (
    "OutboundWebIdentityFederationDisabled",
    "OutboundWebIdentityFederationDisabledException",
)


@dataclass(frozen=True, repr=False)
class Proof(Shown):
    """The token, where it is kept, and what it stands for."""

    path: Path
    digest: str
    account: str

    def card(self) -> Card:
        """Return the card: never the token itself."""
        rows = [
            (messages.text("proof.row-file"), str(self.path)),
            (messages.text("proof.row-digest"), self.digest),
            (messages.text("proof.row-account"), self.account),
        ]
        return Card(messages.text("proof.title"), (Rows(rows),), state="ok")


def prove(aws: Aws, *, home: Path, learner: str) -> Proof:
    """Have AWS sign the digest of the learner's last record; afterwards the token is in `home`.

    Raises:
        NotReady: There is no evidence yet, or nothing that stands for real AWS to sign it.
        NotAllowed: The account has not switched its issuer on, or a permission is lacking.
        AWSError: AWS did not answer.
    """
    own = [record for record in Journal(home).records() if record["learner"] == learner]
    if not own:
        raise NotReady(*messages.advice("proof.no-evidence"))
    digest = own[-1]["digest"]
    token = _signed(aws, digest)
    path = home / tokens.FILE
    draft = path.with_suffix(".tmp")
    try:
        draft.write_text(f"{token}\n", encoding="ascii")
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        sentences = messages.advice("settings.home", folder=home, reason=error.strerror)
        raise NotReady(*sentences) from error
    return Proof(path, digest, aws.account)


def _signed(aws: Aws, digest: str) -> str:
    try:
        reply = aws.call(
            "sts",
            "GetWebIdentityToken",
            Audience=[tokens.AUDIENCE],
            DurationSeconds=tokens.SECONDS,
            SigningAlgorithm=tokens.ALGORITHM,
            Tags=[{"Key": tokens.TAG, "Value": digest}],
        )
    except (AWSError, NotAllowed) as error:
        if (error.code or "").startswith(_SWITCHED_OFF):
            sentences = messages.advice("proof.switched-off", account=aws.account)
            raise NotAllowed(*sentences, code=error.code) from error
        raise
    return str(reply["WebIdentityToken"])
