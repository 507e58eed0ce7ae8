"""AWS: the only room that knows boto3.

`Aws` is one connection: a region, an account, an endpoint.  Every call goes through `call`, which
records its request id, turns boto3's errors into ours and retries where that cannot do harm:

- a throttled call, or one that never reached AWS, is made again, whatever it does;
- a read or a deletion that broke off is made again;
- any other *write* that broke off raises `AWSUnclear`: it may have taken effect, and the caller
  looks first.

boto3's own retries are off, because its default mode repeats a CreateVpc whose reply was lost and
so makes a second VPC (Amazon EC2 API Reference, "Ensuring idempotency": CreateVpc takes no token).

    calls      the connection: call, call until AWS knows, page after page
    refusals   boto3's errors, turned into ours
    models     what botocore knows of the services, read quickly
    sessions   to the embedded AWS, or to real AWS once the account is the named one
"""

from handson.aws.calls import Aws, Credentials, Patience, Request, command_name
from handson.aws.refusals import is_one_of, translated
from handson.aws.sessions import assume, confirm_account, connect_aws, connect_emulator

__all__ = [
    "Aws",
    "Credentials",
    "Patience",
    "Request",
    "assume",
    "command_name",
    "confirm_account",
    "connect_aws",
    "connect_emulator",
    "is_one_of",
    "translated",
]
