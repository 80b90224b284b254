"""An AWS emulator that something else started: the stacks are deployed into it as far as it can take them.

What it lacks is said by name. It is neither started, stopped nor reset here; the cache is this project's own, on this
machine.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from local import environment
from local.addresses import Addresses
from local.adjustments import adjust
from local.answers import reason_of
from local.assembly import Assembly, Stack, synthesize
from local.cache import server_on_path, start_cache
from local.capabilities import (
    OF_EVERY_DEPLOYMENT,
    SERVICES,
    Functions,
    account_of,
    missing_services,
    probe_functions,
)
from local.deploy import Deployer, outputs_of
from local.endpoints import Endpoint
from local.errors import LocalCloudError
from local.layout import Layout
from local.node import ensure_cdk, find_node
from local.packages import ensure_environment
from local.processes import HOST, Service, Tools, choose_port, exclusive
from local.session import LocalSession
from local.storage import ensure_storage
from local.trial_request import reason_if_not_served
from local.undeployed import missing_resources

_BUSY = "process {process} is deploying into this emulator: wait for it"
_FUNCTION = "AWS::Lambda::Function"


@dataclass(frozen=True, slots=True)
class _Plan:
    """What will be deployed, and the reason for each stack that will not."""

    stacks: list[Stack]
    left_out: dict[str, str]


class RunningEmulator(Addresses):
    """An emulator at an endpoint, and what is deployed into it.

    Args:
        endpoint: its address.
        layout: the folders of project and state; by default a state folder for this address.
        account: 12 digits that are the access key, by which emulators tell accounts.
        app: script of the CDK app, in the folder of its cdk.json; by default the project's.
        on_step: called with one line for each step.

    Attributes:
        lacks: one line for each thing that the emulator lacks, after `up`.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        layout: Layout | None = None,
        *,
        account: str = environment.ACCOUNT,
        app: Path | None = None,
        on_step: Callable[[str], None] = lambda _step: None,
    ) -> None:
        self.endpoint = endpoint
        self.layout = layout or layout_of(endpoint)
        self.cache = Service("the cache", self.layout.record("cache"), self.layout.log("cache"))
        self.outputs: dict[str, str] = self.layout.remembered().get("outputs", {})
        self.lacks: list[str] = []
        self._account_key = account
        self._app = app or self.layout.root / "app.py"
        self._step = on_step
        self._tools = Tools()

    @property
    def endpoint_url(self) -> str:
        """The AWS endpoint."""
        return self.endpoint.url

    @property
    def redis_endpoint(self) -> str:
        """The cache as `host:port`."""
        port = self.layout.remembered().get("redis_port")
        if port is None:
            raise LocalCloudError(f"nothing was deployed into {self.endpoint.url} from here: run `make local-up`")
        return f"{HOST}:{port}"

    @property
    def keys(self) -> dict[str, str]:
        """Keys of the emulator's root. They are never those of the user: whatever answers there gets no secret."""
        return {"access_key": self._account_key, "secret_key": "unchecked"}

    def up(self, *, redis_port: int | None = None) -> Self:
        """Find out what the emulator can do, and deploy what it can take; `lacks` says what it cannot.

        Raises:
            EndpointError: no emulator answers there.
            LocalCloudError: something on this machine is missing or broken, or the emulator has no DynamoDB.
        """
        with exclusive(self.layout.lock, _BUSY):
            ran = self.cache.running
            try:
                self._up(redis_port)
            except BaseException:
                self._tools.end()
                if not ran:
                    self.cache.stop()
                raise
        return self

    def responds(self) -> bool:
        """Whether an emulator answers at the endpoint."""
        try:
            account_of(self.boto_session(), self.endpoint.url)
        except LocalCloudError:
            return False
        return True

    def down(self) -> bool:
        """Stop the cache; the emulator goes on.

        Returns:
            Whether it was running.
        """
        ran = self.cache.running
        self.cache.stop()
        return ran

    def _up(self, redis_port: int | None) -> None:
        session = self.boto_session()
        account = account_of(session, f"{self.endpoint.variable}={self.endpoint.url}")
        self._step(f"Deploying into the emulator at {self.endpoint.url}, account {account}")
        self.layout.create()
        self._start_cache(redis_port)
        node = find_node()
        cdk = ensure_cdk(self._tools, node, self.layout.root, self.layout.log("npm"))
        self._step("Finding out how it runs functions")
        functions = probe_functions(session)
        self._step("Synthesizing the stacks")
        assembly = synthesize(
            self._tools,
            self._app,
            self.layout.assembly,
            context=self._context(functions),
            node=node,
            log=self.layout.log("synth"),
            account=account,
        )
        variables = environment.of_clients(self._address_for_cdk(), **self.keys)
        deployer = Deployer(self._tools, self.layout, node, cdk, session, variables, account)
        self._deploy(deployer, assembly, functions)

    def _start_cache(self, port: int | None) -> None:
        if self.cache.running and port in {None, self.layout.remembered().get("redis_port")}:
            return
        self.cache.stop()
        chosen = choose_port(port, self.layout.remembered().get("redis_port"), what="the cache")
        self.layout.remember(redis_port=chosen)
        lock = self.layout.root / "requirements-local.txt"
        packages = self.layout.packages
        if server_on_path() is None:
            packages = ensure_environment(self._tools, lock, self.layout.packages, self.layout.log("pip"))
        start_cache(self.layout, self.cache, chosen, packages, detached=True)

    def _context(self, functions: Functions | str) -> dict[str, str]:
        context = {"profile": "local", "redis_endpoint": self.redis_endpoint}
        if isinstance(functions, Functions) and not functions.has_packages:
            context["emulator_python"] = functions.python
        return context

    def _address_for_cdk(self) -> str:
        """CDK's S3 client would prepend bucket names to a host name, and `bucket.localhost` is not found everywhere."""
        return self.endpoint.url.replace("//localhost", f"//{HOST}", 1)

    def _deploy(self, deployer: Deployer, assembly: Assembly, functions: Functions | str) -> None:
        stacks, session = assembly.stacks(), deployer.session
        plan = self._plan(session, stacks, functions)
        failed: dict[str, str] = {}
        if plan.stacks:
            self._step(f"Deploying {len(plan.stacks)} of {len(stacks)} stacks")
            deployer.bootstrap()
            failed = deployer.deploy_separately(assembly, plan.stacks)
        deployed = [stack for stack in plan.stacks if stack.name not in failed]
        self.lacks += [f"stack {name}: {reason}" for name, reason in (plan.left_out | failed).items()]
        self.lacks += missing_resources(session, deployed)
        self.outputs = outputs_of(session, deployed)
        provided = ensure_storage(session, stacks, self.outputs)
        self.lacks += provided
        adjust(session, deployed, self.outputs, on_refusal=self._note)
        self._try_api()
        self.layout.remember(outputs=self.outputs)

    def _plan(self, session: LocalSession, stacks: list[Stack], functions: Functions | str) -> _Plan:
        used = {service for stack in stacks for service in _services_of(stack)}
        missing = missing_services(session, used | OF_EVERY_DEPLOYMENT | {"DynamoDB"})
        self.lacks += [f"{service}: {reason}" for service, reason in missing.items()]
        if "DynamoDB" in missing:
            raise LocalCloudError(f"the emulator at {self.endpoint.url} has no DynamoDB: {missing['DynamoDB']}")
        if isinstance(functions, str):
            self.lacks.append(f"Lambda: functions do not run: {functions}")
        left_out: dict[str, str] = {}
        toolkit = sorted(OF_EVERY_DEPLOYMENT & missing.keys())
        for stack in stacks:
            services = sorted(missing.keys() & _services_of(stack)) or toolkit
            if services:
                left_out[stack.name] = f"left out, since it needs {', '.join(services)}"
            elif isinstance(functions, str) and _FUNCTION in stack.types:
                left_out[stack.name] = "left out, since functions do not run"
        return _Plan([stack for stack in stacks if stack.name not in left_out], left_out)

    def _note(self, what: str, error: Exception) -> None:
        self.lacks.append(f"{what}: {reason_of(error)}")

    def _try_api(self) -> None:
        if "ApiId" in self.outputs and (reason := reason_if_not_served(self.api_url, **self.keys)):
            self.lacks.append(f"the HTTP API does not answer at {self.api_url}: {reason}")
            del self.outputs["ApiId"]  # so that no program is sent there


def layout_of(endpoint: Endpoint) -> Layout:
    """The folders of what is deployed into the emulator at an endpoint."""
    host, port = endpoint.host_and_port
    host = HOST if endpoint.is_port_of_this_machine(port) else host
    name = "".join(character if character.isalnum() or character in ".-" else "_" for character in host)
    return Layout(state=Layout().root / ".local" / "emulators" / f"{name}-{port}")


def _services_of(stack: Stack) -> frozenset[str]:
    """The services of a stack's resources, `S3` for `AWS::S3::Bucket`; `AWS::CDK::Metadata` has none."""
    names: Mapping[str, object] = SERVICES
    services = (resource_type.split("::")[1] for resource_type in stack.types)
    return frozenset(name for name in services if name in names)
