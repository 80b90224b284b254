"""The local cloud: the deployed stacks on this machine, for the demo, the tests and development.

Nothing of the product lives here. The package starts an AWS emulator and a cache as child processes,
and deploys the same CDK stacks into it that go to an AWS account.
"""

from local.cloud import LocalCloud
from local.errors import LocalCloudError, PortTakenError

__all__ = ["LocalCloud", "LocalCloudError", "PortTakenError"]
