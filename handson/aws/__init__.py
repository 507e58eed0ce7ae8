"""AWS: the only package that knows boto3.

`Aws` is one connection: a region, an account, an endpoint.  Its method `call` records the request
id of each call, turns boto3's errors into ours, and repeats a call where that is safe:

- a throttled call, or one that never reached AWS, is repeated, whatever it does;
- a read or a deletion that broke off is repeated;
- any other *write* that broke off raises `AWSUnclear`: it may have taken effect, and the caller
  has to look first.

boto3's own retries are off, because its default mode repeats a CreateVpc whose reply was lost and
so makes a second VPC (Amazon EC2 API Reference, "Ensuring idempotency": CreateVpc takes no token).

    settings     the target, the exercise, the learner: read from environment and arguments
    connection   connect to the target: an emulator, or real AWS if the account is the named one
    calls        the connection: make calls, wait for consistency, list all pages; replies as cards
    credentials  sign in with the learner's own profile, keys, role or token
    refusals     botocore's errors as ours (errors.toml), and calls that are written wrongly
    emulator/    the embedded AWS
"""

from handson.aws.calls import Aws, Credentials, Patience, command_name
from handson.aws.refusals import accept_codes, has_code

__all__ = ["Aws", "Credentials", "Patience", "accept_codes", "command_name", "has_code"]
