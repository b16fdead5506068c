"""The MCP server behind Envoy. It checks no tokens, because edge-authz does.

    python server.py PORT
"""

import sys

import uvicorn
from mcp.server.mcpserver import MCPServer

server = MCPServer("files")
files = {"a.txt": "first", "b.txt": "second"}


@server.tool()
def read_file(name: str) -> str:
    """Returns the content of a file."""
    return files.get(name, "no such file")


@server.tool()
def delete_file(name: str) -> str:
    """Removes a file."""
    return f"removed {name}" if files.pop(name, None) else "no such file"


if __name__ == "__main__":
    port = int(sys.argv[1])
    uvicorn.run(server.streamable_http_app(), host="127.0.0.1", port=port, log_level="warning")
