"""The AWS CDK stacks of Agent Memory.

Importing this package prepares what has to be in place before `aws_cdk` is imported: a Node.js for CDK's engine, and
the `agent_memory` package, which defines the tables and the retention times.
"""

import sys
from pathlib import Path

from stacks.node import choose_node

PROJECT = Path(__file__).resolve().parent.parent

choose_node()

_AGENT_MEMORY = str(PROJECT / "layers" / "agent_memory" / "python")
if _AGENT_MEMORY not in sys.path:
    sys.path.append(_AGENT_MEMORY)
