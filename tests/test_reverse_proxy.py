"""The reverse proxy of docs/deploy/nginx.conf, run as it stands but for its addresses, and more impatiently."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import ssl
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.processes import free_port
from tests.sources import ROOT

NGINX: Final = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
NAME: Final = "unions.example.org"
CONF: Final = ROOT / "docs" / "deploy" / "nginx.conf"

pytestmark = pytest.mark.skipif(NGINX is None, reason="there is no nginx")


async def told(scope: Any, receive: Any, send: Any) -> None:
    """Answers with what has reached it: the headers, and how long the body was."""
    size, more = 0, True
    while more:
        message = await receive()
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
    said = [b"%s: %s" % pair for pair in scope["headers"]] + [b"size: %d" % size]
    await send({"type": "http.response.start", "status": 200, "headers": [(b"x-request-id", b"r-1")]})
    await send({"type": "http.response.body", "body": b"\n".join(said)})


@dataclass
class Proxy:
    folder: Path
    port: int
    plain: int

    @property
    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.folder / "certificate.pem")

    async def ask(self, method: str, path: str, *, host: str = NAME, **more: Any) -> httpx.Response:
        async with httpx.AsyncClient(verify=self.trust, base_url=f"https://127.0.0.1:{self.port}") as http:
            headers = {"host": host, **more.pop("headers", {})}
            return await http.request(method, path, headers=headers, extensions={"sni_hostname": NAME}, **more)

    async def rest_after(self, sent: bytes, name: str = NAME) -> bytes:
        """What is answered to these bytes until the proxy closes, in peace or not."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, ssl=self.trust, server_hostname=name)
        writer.write(sent)
        said = b""
        with suppress(ConnectionResetError):
            async with asyncio.timeout(20):
                while more := await reader.read(65_536):
                    said += more
        writer.close()
        return said


@pytest.fixture(scope="module")
async def backend() -> AsyncIterator[int]:
    server = uvicorn.Server(uvicorn.Config(told, port=0, log_config=None, lifespan="off", timeout_graceful_shutdown=1))
    serving = asyncio.create_task(server._serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.001)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await serving


def certify(folder: Path) -> None:
    """A certificate that this name gives itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name, now = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, NAME)]), datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "certificate.pem").write_bytes(made.public_bytes(Encoding.PEM))
    (folder / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def adapted(proxy: Proxy, backend: int) -> str:
    """The example with this machine's addresses; `error` if one of them is not there any more."""
    text = CONF.read_text(encoding="utf-8")
    for pattern, instead in {
        r"listen \[::\].*\n": "",
        r"listen 80;": f"listen 127.0.0.1:{proxy.plain};",
        r"listen 443 ssl": f"listen 127.0.0.1:{proxy.port} ssl",
        r"server 127\.0\.0\.1:8000;": f"server 127.0.0.1:{backend};",
        r"/etc/ssl/certs/\S+;": f"{proxy.folder}/certificate.pem;",
        r"/etc/ssl/private/\S+;": f"{proxy.folder}/key.pem;",
        r"/var/log/nginx/": f"{proxy.folder}/",
        r"(client_header_timeout|client_body_timeout|\n    keepalive_timeout) \d+s;": r"\1 1s;",
    }.items():
        text, found = re.subn(pattern, instead, text)
        assert found, f"{CONF.name} has no {pattern}"
    return text


@pytest.fixture(scope="module")
async def proxy(backend: int, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Proxy]:
    assert NGINX is not None
    folder = tmp_path_factory.mktemp("nginx")
    found = Proxy(folder, free_port(), free_port())
    certify(folder)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    main = f"daemon off; {'user root;' if os.geteuid() == 0 else ''} worker_processes 1; pid {folder}/pid; events {{}}"
    places = " ".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    (folder / "nginx.conf").write_text(f"{main}\nhttp {{ {places}\n{adapted(found, backend)}}}\n")
    words = [NGINX, "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf")]
    process = await asyncio.create_subprocess_exec(*words)
    try:
        for _ in range(500):
            assert process.returncode is None, (folder / "error.log").read_text()
            if (folder / "pid").exists() and (folder / "pid").read_text():
                break
            await asyncio.sleep(0.01)
        yield found
    finally:
        process.terminate()
        await process.wait()


async def test_it_says_who_asks_and_passes_the_host_on(proxy: Proxy) -> None:
    forged = {"x-forwarded-for": "1.2.3.4", "x-forwarded-proto": "http"}
    answer = await proxy.ask("GET", "/", headers=forged)
    assert answer.status_code == 200
    assert f"host: {NAME}" in answer.text and "x-forwarded-proto: https" in answer.text
    assert "x-forwarded-for: 127.0.0.1" in answer.text and "1.2.3.4" not in answer.text
    assert re.fullmatch("nginx", answer.headers["server"])  # without its version


async def test_who_is_slow_is_not_waited_for(proxy: Proxy) -> None:
    head = f"POST /graphql HTTP/1.1\r\nhost: {NAME}\r\n".encode()
    begun, half, idle = await asyncio.gather(
        proxy.rest_after(head),
        proxy.rest_after(head + b"content-length: 100\r\n\r\n{"),
        proxy.rest_after(f"GET / HTTP/1.1\r\nhost: {NAME}\r\n\r\n".encode()),
    )
    assert begun == b"" and b" 200 " not in half
    assert idle.startswith(b"HTTP/1.1 200 ")


async def test_a_body_is_taken_up_to_a_photo_and_its_form(proxy: Proxy) -> None:
    taken = await proxy.ask("POST", "/graphql", content=b"x" * (11 * 2**20))
    assert taken.text.endswith(f"size: {11 * 2**20}")
    refused = await proxy.ask("POST", "/graphql", content=b"x" * (13 * 2**20))
    assert (refused.status_code, refused.json()["errors"][0]["extensions"]["code"]) == (413, "PAYLOAD_TOO_LARGE")
    assert (await proxy.ask("POST", "/session", content=b"x" * 5000)).status_code == 413


async def test_another_name_is_not_answered(proxy: Proxy) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        await proxy.ask("GET", "/", host="evil.example")
    with pytest.raises(ssl.SSLError):
        await proxy.rest_after(b"", name="evil.example")


async def test_http_leads_to_https_of_its_own_name(proxy: Proxy) -> None:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{proxy.plain}") as http:
        answer = await http.get("/i/code", headers={"host": "evil.example"})
    assert (answer.status_code, answer.headers["location"]) == (301, f"https://{NAME}/i/code")


async def test_probes_are_the_machine_s_own_affair(proxy: Proxy) -> None:
    assert [(await proxy.ask("GET", path)).status_code for path in ("/livez", "/readyz")] == [404, 404]


async def test_nothing_of_an_address_is_logged(proxy: Proxy) -> None:
    await proxy.ask("GET", "/i/secret-code?register")
    await proxy.ask("GET", "/exports/unions?under=secret-code", headers={"referer": "https://x.example/secret-code"})
    logged = "\n".join(file.read_text() for file in proxy.folder.glob("*.log"))
    assert " GET 200 " in logged and " r-1" in logged and "secret-code" not in logged


async def test_passwords_are_not_tried_by_the_hundred(proxy: Proxy) -> None:
    answers = [await proxy.ask("POST", "/session", json={}) for _ in range(10)]
    refused = answers[-1]
    assert answers[0].status_code == 200
    assert (refused.status_code, refused.json()["errors"][0]["extensions"]["code"]) == (429, "RATE_LIMITED")
    assert refused.headers["retry-after"] == "5"
    assert (await proxy.ask("POST", "/graphql", json={})).status_code == 200
