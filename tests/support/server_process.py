"""A process that uses the server of the home in argv[1]: says where it is, leaves at the end of its input."""

import json
import os
import sys
from pathlib import Path

from kaquan.db.embedded import open_server
from kaquan.db.postmaster import running
from kaquan.settings import Settings

if __name__ == "__main__":
    settings = Settings(home=Path(sys.argv[1]), shared_buffers_mb=32)
    with open_server(settings, ephemeral=True, overrides={"fsync": "off"}) as server:
        found = running(server.data_dir)
        facts = {
            "pid": None if found is None else found.pid,
            "data_dir": str(server.data_dir),
            "root_url": server.root_url,
            "uid": os.geteuid(),
        }
        print(json.dumps(facts), flush=True)
        sys.stdin.read()
