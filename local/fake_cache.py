"""`fake_cache.py HOST PORT`: serve fakeredis over TCP. Runs in the emulator's virtual environment."""

import sys

from fakeredis import TcpFakeServer

if __name__ == "__main__":
    host, port = sys.argv[1:]
    with TcpFakeServer((host, int(port)), server_type="valkey") as server:
        server.daemon_threads = True
        server.serve_forever()
