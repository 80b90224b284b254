"""The local cloud: the stacks deployed on this machine, for the demo, the tests and development.

The package contains no product code. It starts an AWS emulator and a cache as child processes, and deploys the same CDK
stacks into the emulator as into an AWS account.
"""

from local.cloud import LocalCloud
from local.errors import LocalCloudError, PortTakenError

__all__ = ["LocalCloud", "LocalCloudError", "PortTakenError"]
