"""Run one function as Lambda does: its code and its layers on the search path, the standard library, and nothing else.

    python -I -S inside_layers.py CODE LAYERS OWN < events > result

CODE is the function's folder (`/var/task`), LAYERS the folder into which its layers are unpacked (`/opt`), OWN a folder
that stands for the packages that Lambda's runtime brings itself. The search path is that of Lambda's Python runtime.
The events are a JSON list. The last line of the output has their results, and where modules were imported from.
"""

import json
import sys


class Context:
    """The attributes of a Lambda context that a function reads."""

    function_name = "inside-layers"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:us-east-1:000000000000:function:inside-layers"
    aws_request_id = "request-1"


def main(code, layers, own):
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    standard = list(sys.path)
    sys.path[:] = [code, f"{layers}/python/lib/{version}/site-packages", f"{layers}/python", *standard, own]
    events = json.load(sys.stdin)

    from importlib.metadata import version as version_of

    from handler import handler

    results = [handler(event, Context()) for event in events]
    files = {name: module.__file__ for name, module in sys.modules.items() if getattr(module, "__file__", None)}
    report = {
        "results": results,
        "python": version.removeprefix("python"),
        "standard": standard,
        "files": files,
        "boto3": version_of("boto3"),
    }
    sys.stdout.write(json.dumps(report) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
