from tfsr.cluster.ledger import MAX_KILLS, Ledger
from tfsr.inference.jobs import JobResult


def test_a_task_that_is_repeated_gets_what_was_finished():
    ledger = Ledger(4)
    assert ledger.begin([0, 1, 2]) == (True, {})
    first, second = JobResult("a"), JobResult("b")
    ledger.finish({0: first, 1: second})
    assert ledger.begin([0, 1, 2]) == (False, {0: first, 1: second})
    ledger.receive([0])  # It is not kept, nor done again.
    assert ledger.begin([0, 1, 2]) == (False, {0: None, 1: second})
    assert ledger.begin([3]) == (True, {})


def test_a_job_may_end_three_workers():
    ledger = Ledger(2)
    ledger.begin([0, 1])
    assert [ledger.begin_alone(1) for _ in range(MAX_KILLS)] == [True, True, False]
    assert ledger.begin_alone(0)


def test_a_worker_may_be_killed_three_times_while_it_loads():
    ledger = Ledger(1)
    for _ in range(5):  # If it has loaded in the end, that is over.
        assert ledger.load("a") is None
        ledger.loaded("a")
    assert [ledger.load("b") for _ in range(3)] == [None] * 3
    line = ledger.load("b")
    assert "killed 3 times" in line and ledger.failure() == line
