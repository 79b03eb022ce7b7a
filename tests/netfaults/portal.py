"""`python -m tests.netfaults.portal CERTIFICATE KEY HOST TLS_PORT HTTP_PORT`: an impostor's door.

Whoever comes to it in plain HTTP is led to a page to log in on; TLS is answered with the impostor's
certificate. It writes a line for each request that it was sent, so that a test sees whether
anything was said to it.
"""

import asyncio
import ssl
import sys
from typing import Final

HTTP_PORT: Final = 3080
TLS_PORT: Final = 3443
_REDIRECT: Final = (
    b"HTTP/1.1 302 Found\r\nLocation: http://login.inn.test/\r\n"
    b"Content-Length: 0\r\nConnection: close\r\n\r\n"
)


async def _lead(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        asked = await reader.readline()
        if asked:
            print(asked.decode(errors="replace").strip(), flush=True)
        writer.write(_REDIRECT)
        await writer.drain()
    except OSError:
        pass  # it hung up
    finally:
        writer.close()


async def _serve(certificate: str, key: str, host: str, tls_port: str, http_port: str) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    await asyncio.start_server(_lead, host, int(http_port))
    await asyncio.start_server(_lead, host, int(tls_port), ssl=context)
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(*sys.argv[1:]))
