"""The server as a process: what an operator sees who starts it with nothing, and stops it again."""

from __future__ import annotations

import os
import re
import signal
import sys
from pathlib import Path

import httpx

from storage.cluster import Cluster
from storage.settings import generate_secrets
from tests.processes import Server, free_port, postgres_in, serving

SERVE = [sys.executable, "server.py", "serve"]
INTRODUCED = re.compile(r"^  (\d{11})  (\S{12})  \S+  \S+$", re.MULTILINE)
SHOWN = re.compile(r"^(\S+) 组织登记二维码：(\S+)$", re.MULTILINE)


def sign_in(server: Server, phone: str, password: str) -> httpx.Response:
    credentials = {"phone": phone, "password": password}
    return server.http.post("/session", json=credentials, headers={"graphql-preflight": "1"})


def roots(server: Server) -> object:
    query = "{ roots { name statistics { unions pending } } }"
    return server.http.post("/graphql", json={"query": query}).json()


def test_one_command_brings_everything_and_keeps_it(tmp_path: Path) -> None:
    data, port = tmp_path / "data", free_port()
    environ = {"PATH": os.environ["PATH"], "DATA_DIR": str(data), "PORT": str(port)}

    with serving(SERVE, environ, port, tmp_path / "first.log") as first:
        accounts = INTRODUCED.findall(first.said)
        assert len(accounts) == 5
        assert first.http.get("/livez").text == first.http.get("/readyz").text == "ok\n"
        [(union, link)] = SHOWN.findall(first.said)
        assert union == "广东省总工会" and link.startswith(f"http://127.0.0.1:{port}/i/")
        assert "▀" in first.said
        assert "server" not in first.http.get("/livez").headers
        card = first.http.get(link)
        assert card.status_code == 200 and union in card.text
        assert sign_in(first, *accounts[0]).status_code == 200
        planted, cookies = roots(first), first.http.cookies
        assert "广东省总工会" in str(planted)
        assert postgres_in(data)

        status = first.stop(signal.SIGINT)
        assert "Traceback" not in first.said
    assert status == 0
    assert postgres_in(data) == []

    with serving(SERVE, environ, port, tmp_path / "second.log") as second:
        assert INTRODUCED.findall(second.said) == []
        assert SHOWN.findall(second.said) == [(union, link)]
        second.http.cookies = cookies
        assert roots(second) == planted  # the sign-in lasts too
        assert sign_in(second, *accounts[1]).status_code == 200

        status = second.stop(signal.SIGTERM)
        assert "Traceback" not in second.said
    assert status == 0
    assert postgres_in(data) == []
    spoken = first.said + second.said
    assert all(spoken.count(password) == 1 for _, password in accounts)
    assert cookies["uniontree_session"] not in spoken


def test_the_application_runs_under_uvicorn_too(cluster: Cluster, tmp_path: Path) -> None:
    port = free_port()
    options = [
        "--http",
        "web.connections:Connection",
        "--ws",
        "none",
        "--limit-concurrency",
        "800",
        "--no-server-header",
    ]
    words = [sys.executable, "-m", "uvicorn", "--factory", "server:create_app", "--port", str(port), *options]
    environ = {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": cluster.owner_url(),
        "DATA_DIR": str(tmp_path / "data"),
        **generate_secrets(),
    }
    with serving(words, environ, port, tmp_path / "uvicorn.log") as server:
        assert server.http.get("/livez").text == server.http.get("/readyz").text == "ok\n"
        assert "server" not in server.http.get("/livez").headers
        assert server.stop(signal.SIGTERM) in {0, -signal.SIGTERM}
        assert "Traceback" not in server.said
    assert not (tmp_path / "data" / "secrets.env").exists()
