"""The handlers of the API. They greet the user that edge-authz has verified.

    python3 examples/sst-api/api.py [PORT]

They trust `x-user-sub`, because clients cannot send it through edge-authz.
"""

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.rfile.read(int(self.headers.get("content-length", 0)))
        body = f"Hello {self.headers.get('x-user-sub', 'stranger')}!\n".encode()
        self.send_response(200)
        self.send_header("content-type", "text/plain")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET


port = int(sys.argv[1]) if len(sys.argv) > 1 else 8081
server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
print(f"listening on http://127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
