"""One signed request to the HTTP API, which shows whether an emulator serves it and its function runs."""

import http.client
import json
import urllib.error
import urllib.request

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from local.environment import REGION

_PATH = "/v1/agents/trial/decisions?limit=1"
_SECONDS = 60  # the function starts with this request


def reason_if_not_served(api_url: str, access_key: str, secret_key: str) -> str | None:
    """Why a query of decisions fails; None if it is answered."""
    url = f"{api_url}{_PATH}"
    request = AWSRequest("GET", url)
    SigV4Auth(Credentials(access_key, secret_key), "execute-api", REGION).add_auth(request)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    prepared = urllib.request.Request(url, headers=dict(request.headers))  # noqa: S310  http or https
    try:
        with opener.open(prepared, timeout=_SECONDS) as response:
            return None if "decisions" in json.load(response) else "the answer is not that of the API"
    except urllib.error.HTTPError as error:
        return f"HTTP {error.code}"
    except (OSError, http.client.HTTPException, ValueError) as error:
        return str(error)
