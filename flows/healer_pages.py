"""
What the healer shows over HTTP: its health, its metrics, and where Prometheus finds its targets.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from flows import healer_targets
from flows.healer_loops import Loops
from flows.healer_recorder import Recorder
from flows.healer_view import View

LOOP_SILENCE_SECONDS_MAX = 90.0
"""A loop that did not come round for so long, its own pause aside, is stuck, and the health page says so."""


class Pages:
    """
    Everything but the door.
    """

    def __init__(
        self,
        view: View,
        loops: Loops,
        recorder: Recorder,
        registry: CollectorRegistry,
        *,
        pause_seconds_max: float,
    ) -> None:
        self._view = view
        self._loops = loops
        self._recorder = recorder
        self._registry = registry
        self._silence_seconds_max = LOOP_SILENCE_SECONDS_MAX + pause_seconds_max

    @property
    def routes(self) -> list[Route]:
        """
        /healthz, /metrics and /sd/...
        """
        return [
            Route("/healthz", self._health),
            Route("/metrics", self._metrics),
            Route("/sd/{job}", self._discovery),
        ]

    async def _health(self, _request: Request) -> Response:
        late = {
            name: round(age, 1)
            for name, age in self._loops.beats.items()
            if age > self._silence_seconds_max
        }
        body = {
            "healthy": not late,
            "stuck": late,
            "platforms": [platform.name for platform in self._view.platforms],
            "read_at": self._view.read_at.isoformat() if self._view.read_at else None,
            "prefect_up": self._recorder.is_up,
        }
        return JSONResponse(body, status_code=503 if late else 200)

    def _metrics(self, _request: Request) -> Response:
        return Response(
            generate_latest(self._registry), media_type="text/plain; version=0.0.4"
        )

    async def _discovery(self, request: Request) -> Response:
        found = {
            "load-balancers": healer_targets.load_balancers,
            "members": healer_targets.members,
            "exporters": healer_targets.exporters,
            "probes": healer_targets.probes,
        }.get(request.path_params["job"])
        if found is None:
            return JSONResponse({"error": "no such job"}, status_code=404)
        if not self._view.complete:
            # An empty list would make Prometheus forget everything it watches.
            return JSONResponse({"error": "nothing read yet"}, status_code=503)
        return JSONResponse(found(self._view))
