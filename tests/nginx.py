"""An nginx of the tests' own: Debian's program in front of a server, with a folder of its own."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Final, Self

from certs.identity import IdentityFiles

_READY_S: Final = 20.0

_CONFIG: Final = """
daemon off;
master_process off;
pid {folder}/pid;
error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {certificate};
    ssl_certificate_key {key};
    ssl_protocols TLSv1.2;
    ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256;
    ssl_ecdh_curve prime256v1;
    ssl_verify_client optional_no_ca;
    location / {{
      proxy_pass {upstream};
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header {header} $ssl_client_escaped_cert;
      proxy_set_header X-Real-IP $remote_addr;
    }}
  }}
}}
"""


def program() -> str:
    """Return where nginx is.

    Raises:
        FileNotFoundError: It is not installed.
    """
    found = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found is None:
        raise FileNotFoundError("nginx is not installed; `make nginx` does that")
    return found


class Nginx:
    """Ends TLS, asks clients for certificates and passes them on. Use as a context manager.

    Args:
        identity: Whom clients see.
        upstream: Origin of the server behind it.
        header: In which it passes a certificate on.
    """

    def __init__(self, identity: IdentityFiles, upstream: str, header: str) -> None:
        self._identity, self._upstream, self._header = identity, upstream, header
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])

    @property
    def url(self) -> str:
        """Its origin."""
        return f"https://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="nginx", dir="/tmp"))
        config = self._folder / "nginx.conf"
        config.write_text(
            _CONFIG.format(
                folder=self._folder,
                port=self.port,
                certificate=self._identity.certificate,
                key=self._identity.key,
                upstream=self._upstream,
                header=self._header,
            )
        )
        command = [program(), "-c", str(config), "-e", str(self._folder / "error.log")]
        self._process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        until = time.monotonic() + _READY_S
        while not self._answers():
            if time.monotonic() > until or self._process.poll() is not None:
                raise TimeoutError((self._folder / "error.log").read_text())
            time.sleep(0.05)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True
