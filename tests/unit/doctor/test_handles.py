"""What the script says of NFS mounts: only the directories of servers that answer are looked at."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path

from clusterlab.doctor import script
from clusterlab.doctor.sections import HANDLES


def test_mounts_of_servers_that_answer_are_looked_at(tmp_path: Path) -> None:
    (tmp_path / "with space").mkdir()
    point = str(tmp_path / "with space").replace(" ", r"\040")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        silent = socket.create_server(("127.0.0.1", 0))
        closed = silent.getsockname()[1]
        silent.close()
        options = f"vers=4.2,clientaddr=127.0.0.9,port={port},addr=127.0.0.1"
        mounts = tmp_path / "mountinfo"
        mounts.write_text(
            "31 1 0:1 / / rw - ext4 /dev/vda rw\n"
            f"32 31 0:2 / {point} rw,relatime - nfs4 127.0.0.1:/one rw,{options}\n"
            f"33 31 0:3 / {tmp_path}/none rw,relatime shared:4 - nfs 127.0.0.1:/two rw,{options}\n"
            f"34 31 0:4 / {tmp_path} rw,relatime - nfs4 127.0.0.1:/three rw,vers=4.2,port={closed},addr=127.0.0.1\n"
        )
        mark, command = script.command([HANDLES])
        command = [word.replace("/proc/1/mountinfo", str(mounts)) for word in command]
        printed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout
    found = HANDLES.read(script.split(printed, mark)[HANDLES.name].text)
    assert found[str(tmp_path / "with space")] == "fine"
    assert "No such file or directory" in found[f"{tmp_path}/none"]
    assert found[str(tmp_path)] == f"its server 127.0.0.1/{closed} does not answer"
    assert len(found) == 3
