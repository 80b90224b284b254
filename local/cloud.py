"""The local cloud as one object: start it, deploy into it, get its addresses, stop it."""

import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from local import environment
from local.addresses import Addresses
from local.adjustments import adjust
from local.assembly import Assembly, synthesize
from local.cache import start_cache
from local.cache_tls import CacheTls, new_password
from local.deploy import Deployer, outputs_of
from local.emulator import ROOT_KEYS, ensure_access_key, is_healthy, start_emulator
from local.errors import LocalCloudError
from local.layout import Layout
from local.node import Node, ensure_cdk, find_node
from local.packages import build_environment, environment_path, is_complete
from local.processes import HOST, Service, Tools, choose_port, exclusive, run_concurrently
from local.protection import protect
from local.session import LocalSession

_PORTS = {"port": "the AWS endpoint", "redis_port": "the cache"}
_BUSY = "the local cloud is in use by process {process}: stop that first, or use another state folder"


@dataclass(frozen=True, slots=True)
class _Preparation:
    """What a deployment needs and what is prepared while the emulator starts."""

    node: Node
    cdk: Future[Path]
    assembly: Future[Assembly]


class LocalCloud(Addresses):
    """The deployed stacks on this machine.

    As a context manager it starts and deploys, and in the end writes its state and stops. A cloud that already runs
    detached (`make local-up`) is used and left running. Only one process at a time can use a state folder.

    Args:
        layout: the folders of project and state.
        port: port of the AWS endpoint; by default that of the last run, or a free one.
        redis_port: the same for the cache.
        app: script of the CDK app, in the folder of its cdk.json; by default the project's.
        cache_tls: start the cache with TLS and users; `redis_endpoint` is then a URL. A cloud that already runs
            without it is restarted.
        context: additional CDK context for the app.
        detached: leave the services running when this process ends.
        on_step: called with one line for each step, always in the caller's thread.
    """

    def __init__(
        self,
        layout: Layout | None = None,
        *,
        port: int | None = None,
        redis_port: int | None = None,
        app: Path | None = None,
        cache_tls: bool = False,
        context: dict[str, str] | None = None,
        detached: bool = False,
        on_step: Callable[[str], None] = lambda _step: None,
    ) -> None:
        self.layout = layout or Layout()
        self.emulator = Service("the AWS emulator", self.layout.record("emulator"), self.layout.log("emulator"))
        self.cache = Service("the cache", self.layout.record("cache"), self.layout.log("cache"))
        self.outputs: dict[str, str] = {}
        self._requested_ports = {"port": port, "redis_port": redis_port}
        self._cache_tls = cache_tls
        self._app = app or self.layout.root / "app.py"
        self._context = dict(context or {})
        self._detached = detached
        self._step = on_step
        self._locks = ExitStack()
        self._tools = Tools()
        self._started_here = False

    def __enter__(self) -> Self:
        return self.up()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def running(self) -> bool:
        """Whether the emulator runs and responds."""
        port = self.layout.remembered().get("port")
        return self.emulator.running and port is not None and is_healthy(port)

    @property
    def endpoint_url(self) -> str:
        """The AWS endpoint."""
        return f"http://{HOST}:{self._remembered('port')}"

    @property
    def redis_endpoint(self) -> str:
        """The cache as `host:port`, or as a URL where it has TLS."""
        url: str | None = self.layout.remembered().get("cache_url")
        return url or f"{HOST}:{self._remembered('redis_port')}"

    @property
    def keys(self) -> dict[str, str]:
        """The keys of a user who is allowed everything."""
        keys: dict[str, str] = self._remembered("keys")
        return keys

    def up(self) -> Self:
        """Start and deploy; the stacks are synthesized while the emulator starts.

        Raises:
            LocalCloudError: something is missing, in use or broken; services started here are stopped.
        """
        node = find_node()
        with self._ending_on_error():
            self._take_ports()
            with run_concurrently(self._tools) as pool:
                preparation = self._prepare(pool, node)
                self._start_services()
                self._deploy(preparation)
        return self

    def start(self) -> Self:
        """Start the emulator and the cache with the state of the last run, without deploying.

        Raises:
            LocalCloudError: something is missing, in use or broken; services started here are stopped.
        """
        with self._ending_on_error():
            self._take_ports()
            self._start_services()
        return self

    def deploy(self, *, import_existing: bool = False, **context: str) -> None:
        """Synthesize the stacks, and deploy them if they have changed since the last deployment.

        Args:
            import_existing: import retained tables and buckets of the same name into their stack.
            context: additional CDK context for the app, from now on.

        Raises:
            LocalCloudError: the CDK app or the deployment failed.
        """
        self._context |= context
        node = find_node()
        with run_concurrently(self._tools) as pool:
            self._deploy(self._prepare(pool, node), import_existing=import_existing)

    def diff(self, **context: str) -> str:
        """Synthesize the stacks and compare them with those deployed, without deploying.

        Args:
            context: additional CDK context for the app, from now on.

        Returns:
            The output of `cdk diff`.

        Raises:
            LocalCloudError: the CDK app or the comparison failed.
        """
        self._context |= context
        node = find_node()
        with run_concurrently(self._tools) as pool:
            preparation = self._prepare(pool, node)
            deployer = self._deployer(node, preparation.cdk.result())
            return deployer.run("diff", assembly=preparation.assembly.result())

    def cdk(self, *arguments: str) -> str:
        """Run the CDK command line, `("diff",)` or `("destroy", "--all", "--force")`, on the stacks synthesized last.

        Returns:
            Its output.

        Raises:
            LocalCloudError: it failed; the message says why.
        """
        node = find_node()
        script = ensure_cdk(self._tools, node, self.layout.root, self.layout.log("npm"))
        return self._deployer(node, script).run(*arguments, assembly=Assembly(self.layout.assembly))

    def read_outputs(self) -> None:
        """Read the outputs of the last deployment, without deploying."""
        self.outputs = outputs_of(self.boto_session(), Assembly(self.layout.assembly).stacks())

    def stop(self) -> None:
        """Stop the services that this object started, unless they run detached; their state is written."""
        self._tools.end()
        if self._started_here and not self._detached:
            self._step("Stopping the local cloud, writing its state")
            self._stop_services()
        self._started_here = False
        self._locks.close()

    def down(self) -> bool:
        """Stop the services, including detached ones, and wait until the state is written.

        Returns:
            Whether one was running.

        Raises:
            LocalCloudError: another process is using the cloud.
        """
        with exclusive(self.layout.lock, _BUSY):
            ran = self.emulator.running or self.cache.running
            self._stop_services()
        return ran

    def reset(self) -> None:
        """Stop the services and delete all state: stacks, tables, objects, ports, keys and logs.

        Raises:
            LocalCloudError: another process is using the cloud.
        """
        with exclusive(self.layout.lock, _BUSY):
            self._stop_services()
            shutil.rmtree(self.layout.state, ignore_errors=True)

    @property
    def _packages(self) -> Path:
        return environment_path(self.layout.root / "requirements-local.txt", self.layout.packages)

    def _take_ports(self) -> None:
        """Lock the state folder and determine the ports: those of running services, otherwise free ones."""
        self._locks.enter_context(exclusive(self.layout.lock, _BUSY))
        self.layout.create()
        before = self.layout.remembered()
        if self._runs_as_requested():
            return
        for name, what in _PORTS.items():
            if self._requested_ports[name] not in {None, before.get(name)}:
                choose_port(self._requested_ports[name], None, what=what)  # raises before anything is stopped
        self._stop_services()  # incomplete, with other packages or ports, or just shutting down
        self.layout.remember(
            **{
                name: choose_port(self._requested_ports[name], before.get(name), what=what)
                for name, what in _PORTS.items()
            }
        )
        self._choose_cache_url(before.get("cache_password"))

    def _choose_cache_url(self, password: str | None) -> None:
        """Determine the cache's URL where it has TLS, before the stacks are synthesized with it.

        The password is that of the last run, which the deployed functions have.
        """
        tls = CacheTls(self.layout.cache_tls, password or new_password()) if self._cache_tls else None
        self.layout.remember(
            cache_url=tls.url(self._remembered("redis_port")) if tls else None,
            cache_password=tls.password if tls else password,
        )

    def _runs_as_requested(self) -> bool:
        both_detached = all(service.running and service.detached for service in (self.emulator, self.cache))
        before = self.layout.remembered()
        same_ports = all(port in {None, before.get(name)} for name, port in self._requested_ports.items())
        same_cache = bool(before.get("cache_url")) is self._cache_tls
        return (
            both_detached
            and same_ports
            and same_cache
            and before.get("packages") == str(self._packages)
            and self.running
        )

    def _start_services(self) -> None:
        if self._runs_as_requested():
            self._step(f"Using the running local cloud at {self.endpoint_url}")
            return
        packages = self._packages
        if not is_complete(packages):
            self._step("Installing the AWS emulator (once)")
            lock = self.layout.root / "requirements-local.txt"
            build_environment(self._tools, lock, packages, self.layout.log("pip"))
        self._step("Starting the AWS emulator and the cache")
        shutil.rmtree(self.layout.temporary, ignore_errors=True)  # unpacked function code of earlier runs
        self.layout.create()
        port, redis_port = self._remembered("port"), self._remembered("redis_port")
        self._started_here = True
        tls = CacheTls.create(self.layout.cache_tls, self._remembered("cache_password")) if self._cache_tls else None
        start_cache(self.layout, self.cache, redis_port, packages, detached=self._detached, tls=tls)
        start_emulator(self.layout, self.emulator, port, redis_port, packages, detached=self._detached)
        keys = ensure_access_key(self.endpoint_url, self.layout.remembered().get("keys"))
        self.layout.remember(keys=keys, packages=str(packages))

    def _stop_services(self) -> None:
        for service in (self.emulator, self.cache):
            service.stop()

    def _prepare(self, pool: Executor, node: Node) -> _Preparation:
        context = {"profile": "local", "redis_endpoint": self.redis_endpoint} | self._context
        layout = self.layout
        return _Preparation(
            node,
            pool.submit(ensure_cdk, self._tools, node, layout.root, layout.log("npm")),
            pool.submit(
                synthesize, self._tools, self._app, layout.assembly, context=context, node=node, log=layout.log("synth")
            ),
        )

    def _deploy(self, preparation: _Preparation, *, import_existing: bool = False) -> None:
        self._step("Installing the CDK command line and synthesizing the stacks")
        deployer = self._deployer(preparation.node, preparation.cdk.result())
        if not deployer.bootstrapped():
            self._step("Bootstrapping the CDK toolkit")
            deployer.bootstrap()
        assembly = preparation.assembly.result()
        stacks = assembly.stacks()
        if deployer.is_deployed(assembly, stacks):
            self._step("The stacks are deployed already")
        else:
            self._step(f"Deploying {len(stacks)} stacks")
            deployer.deploy(assembly, import_existing=import_existing)
        self.outputs = outputs_of(deployer.session, stacks)
        adjust(deployer.session, stacks, self.outputs)
        for stack in stacks:
            protect(stack, deployer.session)

    def _deployer(self, node: Node, cdk: Path) -> Deployer:
        root = LocalSession(endpoint_url=self.endpoint_url, region=environment.REGION, **ROOT_KEYS)
        variables = environment.of_clients(self.endpoint_url, **ROOT_KEYS)
        return Deployer(self._tools, self.layout, node, cdk, root, variables)

    def _remembered(self, name: str) -> Any:  # JSON values
        try:
            return self.layout.remembered()[name]
        except KeyError:
            raise LocalCloudError("the local cloud was never started: run `make local-up`") from None

    @contextmanager
    def _ending_on_error(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self._detached = False
            self.stop()
            raise
