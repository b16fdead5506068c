"""Starts an authorization server, the MCP server and Envoy, and lets the client of the
package `mcp` call both tools. It prints each request and fails at the first surprise.

    python demo.py ENVOY [--keep-running]
"""

import asyncio
import contextlib
import json
import re
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx2
from mcp.client.auth import OAuthClientProvider
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientMetadata

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
REDIRECT = "http://localhost:8083/callback"
# The ports in edge-authz.yaml and envoy.yaml: the API, its server, the issuer, Envoy's admin.
PORTS = ["8080", "8081", "8082", "9901"]


def free_ports(count):
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [str(one.getsockname()[1]) for one in sockets]


def fail(what):
    raise SystemExit(f"\nunexpected: {what}")


class World:
    """The servers, on the ports of the files or on free ones."""

    def __init__(self, envoy, ports):
        self.api, self.server, self.issuer, self.admin = ports
        self.resource = f"http://localhost:{self.api}/mcp"
        self.folder = tempfile.TemporaryDirectory(prefix="mcp-server-")
        self.processes = []
        text = (HERE / "envoy.yaml").read_text()
        for old, new in zip(PORTS, ports):
            text = re.sub(rf"\b{old}\b", f"<{new}>", text)
        config = Path(self.folder.name, "envoy.yaml")
        config.write_text(re.sub(r"<(\d+)>", r"\1", text))
        try:
            self.python("issuer.py", self.issuer, f"http://localhost:{self.issuer}")
            self.python("server.py", self.server)
            self.await_ready("issuer.py", f"http://127.0.0.1:{self.issuer}/jwks.json")
            self.await_ready("server.py", f"http://127.0.0.1:{self.server}/")
            self.start("envoy", [envoy, "-c", config, "--log-level", "warn", "--use-dynamic-base-id"])
            self.await_ready("envoy", f"http://127.0.0.1:{self.admin}/ready")
        except BaseException:
            self.stop()
            raise

    def python(self, program, *arguments):
        self.start(program, [sys.executable, HERE / program, *arguments])

    def start(self, name, command):
        log = open(Path(self.folder.name, f"{name}.log"), "wb")
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)
        self.processes.append(process)

    def log(self, name):
        return Path(self.folder.name, f"{name}.log").read_text(errors="replace")

    def await_ready(self, name, url):
        for _ in range(300):
            if self.processes[-1].poll() is not None:
                fail(f"{name} ended:\n{self.log(name)}")
            with contextlib.suppress(httpx2.HTTPError):
                if httpx2.get(url, timeout=2).status_code < 500:
                    return
            time.sleep(0.1)
        fail(f"{name} does not start:\n{self.log(name)}")

    def stop(self):
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
        self.folder.cleanup()


class Storage:
    """Where the client keeps its registration and its tokens."""

    tokens = None
    client_info = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return self.client_info

    async def set_client_info(self, client_info):
        self.client_info = client_info


class Browser:
    """The person at the client, who follows the redirects of the authorization server."""

    def __init__(self):
        self.asked = []
        self.result = None

    async def open(self, url):
        self.asked.append({name: values[0] for name, values in parse_qs(urlsplit(url).query).items()})
        async with httpx2.AsyncClient() as http:
            answer = await http.get(url)
        print(f"  {'browser':8} GET  /authorize  scope={self.asked[-1].get('scope')!r} → {answer.status_code}")
        query = {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}
        self.result = AuthorizationCodeResult(
            code=query.get("code", ""), state=query.get("state"), iss=query.get("iss")
        )

    async def callback(self):
        return self.result


class Record:
    """The requests of the client, in order."""

    def __init__(self):
        self.exchanges = []

    async def add(self, response):
        request = response.request
        asked = " ".join(request.headers.get(name, "") for name in ("mcp-method", "mcp-name")).strip()
        challenge = response.headers.get("www-authenticate", "")
        self.exchanges.append((request.method, request.url.path, asked, response.status_code, challenge))
        print(f"  {'client':8} {request.method:4} {request.url.path}  {asked} → {response.status_code}")
        if challenge:
            print(f"  {'':8}      {challenge}")

    def take(self, expected):
        """Compares the new requests with the expected ones."""
        seen = [exchange[:4] for exchange in self.exchanges]
        if seen != expected:
            fail(f"{seen}\ninstead of {expected}")
        challenges = [challenge for *_, challenge in self.exchanges if challenge]
        self.exchanges.clear()
        return challenges


def expect(what, seen, expected):
    if seen != expected:
        fail(f"{what}: {seen!r} instead of {expected!r}")


async def walk(world):
    storage, browser, record = Storage(), Browser(), Record()
    metadata = OAuthClientMetadata(redirect_uris=[REDIRECT], client_name="demo")
    auth = OAuthClientProvider(world.resource, metadata, storage, browser.open, browser.callback)
    hooks = {"response": [record.add]}
    metadata_url = f"http://localhost:{world.api}/.well-known/oauth-protected-resource/mcp"
    async with httpx2.AsyncClient(auth=auth, event_hooks=hooks, timeout=20) as http:
        print("1. The client connects. It has no token, finds the issuer by the metadata, and gets one.")
        async with Client(streamable_http_client(world.resource, http_client=http)) as client:
            [challenge] = record.take([
                ("POST", "/mcp", "server/discover", 401, ),
                ("GET", "/.well-known/oauth-protected-resource/mcp", "", 200),
                ("GET", "/.well-known/oauth-authorization-server", "", 200),
                ("POST", "/register", "", 201),
                ("POST", "/token", "", 200),
                ("POST", "/mcp", "server/discover", 200),
            ])
            expect(
                "the challenge",
                challenge,
                f'Bearer realm="api", scope="files:read", resource_metadata="{metadata_url}"',
            )
            expect("the version", client.protocol_version, "2026-07-28")
            expect("the scope", browser.asked[0]["scope"], "files:read")
            expect("the resource", browser.asked[0]["resource"], world.resource)
            expect("PKCE", browser.asked[0]["code_challenge_method"], "S256")
            reader = storage.tokens.access_token

            print("\n2. It calls the tool for which its token is sufficient.")
            tools = await client.list_tools()
            expect("the tools", [tool.name for tool in tools.tools], ["read_file", "delete_file"])
            result = await client.call_tool("read_file", {"name": "a.txt"})
            expect("the content", result.content[0].text, "first")
            record.take([
                ("POST", "/mcp", "tools/list", 200),
                ("POST", "/mcp", "tools/call read_file", 200),
            ])

            print("\n3. It calls the other tool, and asks the person for the wider scope.")
            result = await client.call_tool("delete_file", {"name": "a.txt"})
            expect("the result", result.content[0].text, "removed a.txt")
            [challenge] = record.take([
                ("POST", "/mcp", "tools/call delete_file", 403),
                ("POST", "/token", "", 200),
                ("POST", "/mcp", "tools/call delete_file", 200),
            ])
            expect(
                "the challenge",
                challenge,
                'Bearer realm="api", error="insufficient_scope", scope="files:read files:delete", '
                f'resource_metadata="{metadata_url}"',
            )
            expect("the scopes", set(browser.asked[1]["scope"].split()), {"files:read", "files:delete"})

            print("\n4. The wider token is sufficient for both tools.")
            await client.call_tool("delete_file", {"name": "b.txt"})
            result = await client.call_tool("read_file", {"name": "b.txt"})
            expect("the content", result.content[0].text, "no such file")
            record.take([
                ("POST", "/mcp", "tools/call delete_file", 200),
                ("POST", "/mcp", "tools/call read_file", 200),
            ])
    await attack(world, reader)


async def attack(world, token):
    print("\n5. A client with the first token cannot call the other tool in disguise.")
    params = {
        "name": "delete_file",
        "arguments": {"name": "b.txt"},
        "_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": {"name": "attacker", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": {},
        },
    }
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params})
    current, call = ("mcp-protocol-version", "2026-07-28"), ("mcp-method", "tools/call")
    name = ("mcp-name", "delete_file")
    # Who refuses: edge-authz with the reason, or the server with the code of the error.
    for what, headers, refused in [
        ("no MCP headers", [], (400, "edge-authz")),
        ("an old version", [("mcp-protocol-version", "2025-11-25"), call, name], (400, "edge-authz")),
        ("no name", [current, call], (400, "edge-authz")),
        ("two names", [current, call, ("mcp-name", "read_file"), name], (400, "edge-authz")),
        ("base64", [current, call, ("mcp-name", "=?base64?ZGVsZXRlX2ZpbGU=?=")], (403, "edge-authz")),
        ("broken base64", [current, call, ("mcp-name", "=?base64?ZGVsZXRlX2ZpbGU?=")], (400, "edge-authz")),
        ("another name than in the body", [current, call, ("mcp-name", "read_file")], (400, -32020)),
        ("another method than in the body", [current, ("mcp-method", "tools/list")], (400, -32020)),
    ]:
        fixed = [
            ("authorization", f"Bearer {token}"),
            ("content-type", "application/json"),
            ("accept", "application/json, text/event-stream"),
        ]
        async with httpx2.AsyncClient(timeout=20) as http:
            answer = await http.post(world.resource, headers=fixed + headers, content=body)
        code = answer.json().get("error", {}).get("code", "edge-authz")
        print(f"  {what} → {answer.status_code} by {'the server' if code == -32020 else code}")
        expect(what, (answer.status_code, code), refused)


def main():
    envoy, *options = sys.argv[1:]
    keep_running = "--keep-running" in options
    world = World(envoy, PORTS if keep_running else free_ports(len(PORTS)))
    try:
        if not keep_running:
            asyncio.run(walk(world))
            print("\nEverything was as expected.")
            return
        print(f"The MCP server is at {world.resource}, and its issuer at http://localhost:{world.issuer}.")
        print("Connect any MCP client to it. Ctrl-C ends it.")
        print(f"\n# without a token: 401, with the address of the metadata\ncurl -i -X POST {world.resource}")
        metadata = world.resource.replace("/mcp", "/.well-known/oauth-protected-resource/mcp")
        print(f"\n# the metadata, which name the issuer\ncurl {metadata}")
        print(f"\n# what was decided, and why\ncurl 'http://localhost:{world.admin}/stats?filter=edge_authz'")
        with contextlib.suppress(KeyboardInterrupt):
            while True:
                time.sleep(3600)
    finally:
        world.stop()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
