"""What stands in a browser's tab for threads, tried on a computer."""

from __future__ import annotations

import pytest

from handson.core.host import CallingWorkers


def test_workers_of_a_tab_do_the_work_when_it_is_given() -> None:
    done: list[int] = []
    with CallingWorkers(8) as pool:
        first = pool.submit(done.append, 1)
        assert (first.done(), done) == (True, [1])
        assert list(pool.map(str, [2, 3])) == ["2", "3"]
        failed = pool.submit(int, "no number")
    with pytest.raises(ValueError, match="no number"):
        failed.result()
