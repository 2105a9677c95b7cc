"""What a server counts, in Prometheus' form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

GAUGES: Mapping[str, str] = {
    "texts_running": "Texts that are being written.",
    "texts_waiting": "Texts that wait.",
    "blocks_held": "Blocks of keys and values that are held.",
    "blocks": "Blocks of keys and values that there are.",
    "tokens_read_total": "Tokens that were read, prompts and all.",
    "tokens_written_total": "Tokens that were drawn.",
    "tokens_reused_total": "Tokens that were found in the cache.",
    "preemptions_total": "Texts that had to give their blocks back.",
    "forwarded_running": "Requests that another server is answering.",
    "forwarded_total": "Requests that were sent to another server.",
    "forwarded_failed_total": "Requests that another server did not answer as asked.",
    "verifications_running": "Verifications that are running.",
    "verifications_total": "Verifications that came to an answer.",
    "verifications_abstained_total": "Verifications whose answer is to rely on none.",
}


class Metrics:
    """Counters of one server, and the gauges that it is told of."""

    def __init__(self, gauges: Iterable[str]) -> None:
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
            name: Gauge(f"codewright_{name}", GAUGES[name], registry=registry) for name in gauges
        }

    def asked(self, path: str, status: int, seconds: float) -> None:
        """Counts a request."""
        self._requests.labels(path, str(status or "left")).inc()
        self._seconds.labels(path).observe(seconds)

    def text(self, values: Mapping[str, float]) -> bytes:
        """Returns the page."""
        for name, value in values.items():
            self._gauges[name].set(value)
        return generate_latest(self._registry)
