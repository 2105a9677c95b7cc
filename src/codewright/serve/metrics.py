"""What a server counts, in Prometheus' form."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from codewright.engine.engine import Engine


class Metrics:
    """Counters of one server."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self._requests = Counter(
            "codewright_requests", "Requests.", ["path", "status"], registry=registry
        )
        self._seconds = Histogram(
            "codewright_request_seconds",
            "Seconds until an answer was complete.",
            ["path"],
            registry=registry,
            buckets=(0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300),
        )
        self._gauges = {
            name: Gauge(f"codewright_{name}", text, registry=registry)
            for name, text in {
                "texts_running": "Texts that are being written.",
                "texts_waiting": "Texts that wait.",
                "blocks_held": "Blocks of keys and values that are held.",
                "blocks": "Blocks of keys and values that there are.",
                "tokens_read_total": "Tokens that were read, prompts and all.",
                "tokens_written_total": "Tokens that were drawn.",
                "tokens_reused_total": "Tokens that were found in the cache.",
                "preemptions_total": "Texts that had to give their blocks back.",
            }.items()
        }

    def asked(self, path: str, status: int, seconds: float) -> None:
        """Counts a request."""
        self._requests.labels(path, str(status or "left")).inc()
        self._seconds.labels(path).observe(seconds)

    def text(self, engine: Engine) -> bytes:
        """Returns the page."""
        scheduler, counts = engine.scheduler, engine.counts
        values = {
            "texts_running": len(scheduler.running),
            "texts_waiting": len(scheduler.waiting),
            "blocks_held": engine.blocks.count - engine.blocks.available,
            "blocks": engine.blocks.count,
            "tokens_read_total": counts.read,
            "tokens_written_total": counts.drawn,
            "tokens_reused_total": scheduler.reused,
            "preemptions_total": scheduler.preempted,
        }
        for name, value in values.items():
            self._gauges[name].set(value)
        return generate_latest(self._registry)
