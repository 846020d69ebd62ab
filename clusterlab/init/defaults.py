"""The files of somebody who begins without anything.

The default lab, and a play of two containers.
"""

from __future__ import annotations

import re

PLAY = """\
title: A web server that its neighbour reaches by name
teaches: Containers of one network find each other by name, on whichever port they listen; nothing has to be published.

networks:
  shop: {hosts: host1}

containers:
  web:
    host: host1
    image: web
    networks: [shop]
  client:
    host: host1
    image: shell
    command: [sleep, infinity]
    networks: [shop]

checks:
  - title: the client reaches the web server by its name
    http: {in: client, url: "http://web/", status: 200}

  - title: a web server that was stopped answers again once it is started
    steps:
      - do: {stop: web}
      - do: {start: web}
      - http: {in: client, url: "http://web/", status: 200}
        within: 10s
"""


def inventory(shipped: str, lab: str) -> str:
    """The default inventory under another name of the lab."""
    return re.sub(r"^lab: .*$", f"lab: {lab}", shipped, count=1, flags=re.MULTILINE)
