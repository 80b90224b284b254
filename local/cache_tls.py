"""A cache with TLS and users, as ElastiCache has: certificates made at each start, and a user with a password.

AWS authenticates the user with IAM, which no server on this machine can. Everything else is as deployed: the connection
is encrypted, a client has to trust the authority, the `default` user is off, and the user may use the keys and the
commands of the deployed one.
"""

import secrets
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from agent_memory.storage.schema import cache_access
from local.errors import LocalCloudError, ToolMissingError
from local.processes import HOST

USER = "agent-memory-api"
_DAYS = "30"
_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
# In a file of its own: what OpenSSL's default configuration contains depends on the system.
_OPENSSL = f"""\
[req]
distinguished_name = name
prompt = no
[name]
CN = local cache
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = IP:{HOST}, DNS:localhost
"""


def new_password() -> str:
    """A password that consists of letters, digits, hyphens and underscores."""
    return secrets.token_urlsafe(24)


@dataclass(frozen=True, slots=True)
class CacheTls:
    """The files of a cache with TLS, in the state folder, which only its owner can read.

    Attributes:
        folder: where the certificates, their keys and the server's configuration are.
        password: of the user.
    """

    folder: Path
    password: str

    @classmethod
    def create(cls, folder: Path, password: str) -> "CacheTls":
        """Make an authority and a certificate that it has signed; those of an earlier start are deleted.

        Raises:
            LocalCloudError: OpenSSL's command is missing, or fails.
        """
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700, parents=True)
        made = cls(folder, password)
        (folder / "openssl.cnf").write_text(_OPENSSL, encoding="utf-8")
        made._openssl("req", "-x509", *_KEY, "-days", _DAYS, "-extensions", "authority", *made._files("authority"))
        made._openssl("req", *_KEY, "-keyout", "server.key", "-out", "server.csr", "-config", "openssl.cnf")
        signing = ("-CA", "authority.pem", "-CAkey", "authority.key", "-CAcreateserial", "-days", _DAYS)
        extensions = ("-extfile", "openssl.cnf", "-extensions", "server")
        made._openssl("x509", "-req", "-in", "server.csr", *signing, *extensions, "-out", "server.pem")
        (folder / "authority.key").unlink()  # nothing else is ever signed
        return made

    @property
    def authority(self) -> Path:
        """The certificate that a client has to trust."""
        return self.folder / "authority.pem"

    def url(self, port: int) -> str:
        """The cache as a URL, with the user, the password and the authority."""
        return f"rediss://{USER}:{quote(self.password, safe='')}@{HOST}:{port}?ssl_ca_certs={self.authority}"

    def configuration(self, port: int) -> Path:
        """Write the server's configuration, and return its file."""
        lines = (
            f"bind {HOST}",
            "port 0",
            f"tls-port {port}",
            f'tls-cert-file "{self.folder / "server.pem"}"',
            f'tls-key-file "{self.folder / "server.key"}"',
            f'tls-ca-cert-file "{self.authority}"',
            "tls-auth-clients no",
            'save ""',
            "appendonly no",
            "user default off",
            f"user {USER} {cache_access()} >{self.password}",
        )
        file = self.folder / "server.conf"
        file.touch(mode=0o600)
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return file

    def _files(self, name: str) -> tuple[str, ...]:
        return "-keyout", f"{name}.key", "-out", f"{name}.pem", "-config", "openssl.cnf"

    def _openssl(self, *arguments: str) -> None:
        command = shutil.which("openssl")
        if command is None:
            raise ToolMissingError("a cache with TLS needs the command openssl: install OpenSSL, or leave TLS out")
        ended = subprocess.run(  # noqa: S603  the arguments are those above
            [command, *arguments], cwd=self.folder, capture_output=True, text=True, check=False
        )
        if ended.returncode:
            raise LocalCloudError(f"openssl {arguments[0]} failed: {ended.stderr.strip().splitlines()[-1:]}")
