"""What the service tells Prometheus. Each service has a registry of its own."""

from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from toile.service.ticket import Ticket

NAMESPACE = "toile"
SIZES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250)
OUTCOMES = {410: "cancelled", 422: "mistaken", 500: "broken", 503: "given up", 504: "too long"}
"""What the status of a problem says of the work; 503 is given up for want of time or at the end."""


class Metrics:
    """Counters, gauges and histograms of one service."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        counter = partial(Counter, namespace=NAMESPACE, registry=self.registry)
        gauge = partial(Gauge, namespace=NAMESPACE, registry=self.registry)
        histogram = partial(Histogram, namespace=NAMESPACE, registry=self.registry)
        self.requests = counter("requests", "Answers to requests for pictures.", ("task", "status"))
        self.refused = counter("refused", "Requests turned away before they were read.", ("reason",))
        self.settled = counter("settled", "Accepted requests that have ended.", ("task", "outcome"))
        self.pictures = counter("pictures", "Pictures that were drawn.", ("task",))
        self.queue = gauge("queue_length", "Requests that wait or are on their way in.")
        self.jobs = gauge("jobs", "Jobs that are known, finished or not.")
        self.batch = histogram("batch_size", "Requests drawn at once.", buckets=SIZES)
        self.step = histogram("step_seconds", "Seconds of one denoising step of a batch.", buckets=SECONDS)
        self.work = histogram("work_seconds", "Seconds of drawing a batch.", ("task",), buckets=SECONDS)
        self.wait = histogram("wait_seconds", "Seconds a request waited to be drawn.", buckets=SECONDS)

    def text(self) -> bytes:
        """Everything in Prometheus's text format."""
        return generate_latest(self.registry)

    def count(self, ticket: Ticket) -> None:
        """An accepted request has ended."""
        problem = ticket.problem
        outcome = "done" if problem is None else OUTCOMES.get(problem.status_code, "broken")
        self.settled.labels(ticket.task, outcome).inc()
