"""The faults `stop_engine`, `kill_engine`, `restart_engine` and `freeze_engine`.

The Docker engine of a host does not answer.
"""

from __future__ import annotations

from .errors import NoEffect
from .kind import Before, FaultKind, HostParameters, OnHost, Seen
from .scene import Scene

_ASK = "curl -sS -o /dev/null --max-time 3 --unix-socket /var/run/docker.sock http://engine/_ping"
_TIMED_OUT, _REFUSED = 28, 7  # exit codes of curl(1)
_PID = "$(cat /run/clusterlab/docker.pid)"  # of the engine of a host without systemd
_UNITS = """\
units=docker
[ ! -d /run/systemd/system ] || ! systemctl cat docker.socket >/dev/null 2>&1 || units="docker.socket docker"
"""
_START = (
    f"{_UNITS}systemctl start $units || case $(systemctl is-active docker) in active | activating) ;; *) false ;; esac"
)
"""Its own restart may come first. Whether it answers is seen from outside, once."""


def _by(systemd: str, otherwise: str) -> str:
    """The script that does it with systemd, or without."""
    return f"if [ -d /run/systemd/system ]; then {systemd}; else {otherwise}; fi"


_PROCESS = _by("systemctl show --value -p MainPID docker", f"echo {_PID}")


class _Engine(FaultKind[HostParameters]):
    """A fault of the engine of one host."""

    model = HostParameters
    inject: str
    heal = _START

    def lost(self, params: HostParameters, scene: Scene) -> frozenset[str]:
        return frozenset({params.at})

    def parts(self, params: HostParameters, scene: Scene) -> list[OnHost]:
        return [OnHost(params.at, self.inject, self.heal)]

    def before(self, params: HostParameters, scene: Scene) -> Before:
        if self._asked(params, scene)[0] != 0:
            raise NoEffect(f"{self.name}: the engine of {params.at} already does not answer")
        return {"process": scene.said(params.at, _PROCESS)}

    def gone(self, params: HostParameters, scene: Scene, before: Before) -> Seen:
        code, said = self._asked(params, scene)
        return Seen(code == 0, f"the engine of {params.at} {'answers' if code == 0 else f'does not answer: {said}'}")

    def _asked(self, params: HostParameters, scene: Scene) -> tuple[int, str]:
        """How curl(1) ended that asked the engine, and what it said."""
        done = scene.hosts[params.at].run(_ASK, timeout=15.0, spare=True)
        return done.exit, done.stderr.strip()


class StopEngine(_Engine):
    """Stops the engine of a host, with its containers unless live restore is on.

    The API refuses.

    Its node is Down after at most 17 s and its tasks are replaced elsewhere.
    """

    name = "stop_engine"
    inject = f"{_UNITS}systemctl stop $units"
    heals_within = 60.0

    def effect(self, params: HostParameters, scene: Scene, before: Before) -> Seen:
        code, said = self._asked(params, scene)
        return Seen(code == _REFUSED, said or f"the engine of {params.at} answers")


class _Replaced(_Engine):
    """A fault after which another process is the engine."""

    heals_within = 90.0

    def effect(self, params: HostParameters, scene: Scene, before: Before) -> Seen:
        code, _ = self._asked(params, scene)
        if code == _REFUSED:
            return Seen(True, f"the engine of {params.at} is gone")
        process = scene.said(params.at, _PROCESS)
        return Seen(
            process != before["process"], f"the engine of {params.at} is process {process}, and was {before['process']}"
        )


class KillEngine(_Replaced):
    """Kills the engine of a host, as kill -9 does.

    Systemd starts it again after about 2 s.

    Its tasks are replaced within 30 s. Where no init system starts it again, healing does.
    """

    name = "kill_engine"
    inject = _by("systemctl kill -s KILL docker", f"kill -KILL {_PID}")


class RestartEngine(_Replaced):
    """Restarts the engine of a host, as an upgrade does; it comes back by itself.

    Its containers end and start again unless live restore is on; a leader of the Swarm that is restarted is replaced.
    """

    name = "restart_engine"
    inject = "setsid systemctl restart docker </dev/null >/dev/null 2>&1 &"
    within = 60.0


class FreezeEngine(_Engine):
    """Stops the engine of a host where it stands.

    Its API takes connections and never answers.

    Its node is Down after about 15 s; its containers serve on beside those that replace them.
    """

    name = "freeze_engine"
    inject = _by("systemctl freeze docker.service", f"kill -STOP {_PID}")
    heal = _by("systemctl thaw docker.service", f"kill -CONT {_PID}")

    def effect(self, params: HostParameters, scene: Scene, before: Before) -> Seen:
        code, said = self._asked(params, scene)
        return Seen(code == _TIMED_OUT, said or f"the engine of {params.at} answers")


STOP_ENGINE, KILL_ENGINE = StopEngine(), KillEngine()
RESTART_ENGINE, FREEZE_ENGINE = RestartEngine(), FreezeEngine()
