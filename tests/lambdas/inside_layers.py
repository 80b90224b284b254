"""Run one function as Lambda does: its code and its layers on the search path, the standard library, and nothing else.

    python -I -S inside_layers.py CODE LAYERS OWN < calls > result

CODE is the function's folder (`/var/task`), LAYERS the folder into which its layers are unpacked (`/opt`), OWN a folder
that stands for the packages that Lambda's runtime brings itself. The search path is that of Lambda's Python runtime.
The calls are a JSON list of objects: `event`, and optionally `context`. The last line of the output has their results,
and where modules were imported from.
"""

import json
import sys


class Context:
    """The attributes of a Lambda context that a function reads; with those of a call of a tool by AgentCore Gateway."""

    function_name = "inside-layers"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:us-east-1:000000000000:function:inside-layers"
    aws_request_id = "request-1"

    def __init__(self, tool=None, agent=None):
        self.client_context = self
        self.custom = {"bedrockAgentCoreToolName": tool}
        if agent:
            self.invoked_function_arn += f":agent-{agent}"


def main(code, layers, own):
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    standard = list(sys.path)
    sys.path[:] = [code, f"{layers}/python/lib/{version}/site-packages", f"{layers}/python", *standard, own]
    calls = json.load(sys.stdin)

    from importlib.metadata import distributions

    from handler import handler

    results = [handler(one["event"], Context(**one.get("context", {}))) for one in calls]
    files = {name: module.__file__ for name, module in sys.modules.items() if getattr(module, "__file__", None)}
    report = {
        "results": results,
        "python": version.removeprefix("python"),
        "standard": standard,
        "files": files,
        "boto3": next((one.version for one in distributions(name="boto3")), None),
    }
    sys.stdout.write(json.dumps(report) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
