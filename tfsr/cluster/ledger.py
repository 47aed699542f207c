"""What has become of jobs whose worker was killed: one actor keeps the account for all workers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from tfsr.inference.jobs import JobResult

MAX_KILLS = 3
"""Workers that an image may end, such as by needing too much memory, before it is reported."""

_MAX_KILLS_WHILE_LOADING = 3


class Ledger:
    """Keeps results until the batch has received them, and counts what was begun in vain.

    Ray repeats a task whose worker was killed. Numbers are those of jobs; a task is known by the
    number of its first job.

    Args:
        count: int. How many jobs there are.
    """

    def __init__(self, count: int) -> None:
        self._received = bytearray(count)
        self._results: dict[int, JobResult] = {}
        self._begun: Counter[int] = Counter()
        self._alone: Counter[int] = Counter()
        self._loading: Counter[str] = Counter()
        self._failure: str | None = None

    def load(self, worker: str) -> str | None:
        """Say that a worker begins to load the model; returns why it should not, or None."""
        self._loading[worker] += 1
        if self._loading[worker] > _MAX_KILLS_WHILE_LOADING:
            return self.fail(
                f"a worker was killed {_MAX_KILLS_WHILE_LOADING} times while it loaded the model; "
                "does it need more memory?"
            )
        return None

    def loaded(self, worker: str) -> None:
        """Say that a worker has loaded the model."""
        del self._loading[worker]

    def fail(self, line: str) -> str:
        """Keep the reason why no worker can work."""
        self._failure = self._failure or line
        return line

    def failure(self) -> str | None:
        """Return the reason why no worker can work."""
        return self._failure

    def begin(self, numbers: Sequence[int]) -> tuple[bool, dict[int, JobResult | None]]:
        """Begin a task: whether for the first time, and what earlier attempts have finished.

        A result that the batch has received already is None.
        """
        self._begun[numbers[0]] += 1
        finished = {n: self._results.get(n) for n in numbers if self.is_finished(n)}
        return self._begun[numbers[0]] == 1, finished

    def is_finished(self, number: int) -> bool:
        """Whether a job has a result."""
        return bool(self._received[number]) or number in self._results

    def begin_alone(self, number: int) -> bool:
        """Begin one job again; False if it has ended its workers too often.

        The task that held it counts as the first time.
        """
        self._alone[number] += 1
        return self._alone[number] < MAX_KILLS

    def finish(self, results: Mapping[int, JobResult]) -> None:
        """Keep results."""
        self._results |= results
        for number in results:
            self._alone.pop(number, None)

    def receive(self, numbers: Iterable[int]) -> None:
        """Say that the batch has received results: they are kept no longer."""
        for number in numbers:
            self._results.pop(number, None)
            self._received[number] = True
