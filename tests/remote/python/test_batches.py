"""Every pair once an epoch, on one worker alone, in batches as even as can be."""

from __future__ import annotations

import itertools
import random

import pytest
from batches import UpdateBatches, by_tokens, into

LENGTHS = [random.Random(2).randrange(1, 90) for _ in range(131)]


def shares(workers: int, epoch: int = 0, tokens: int = 600) -> list[list[list[int]]]:
    """The batches of each worker."""
    made = [
        UpdateBatches(LENGTHS, batch_pairs=16, batch_tokens=tokens, seed=3, rank=rank, workers=workers)
        for rank in range(workers)
    ]
    for batches in made:
        batches.epoch = lambda: epoch
    assert len({len(batches) for batches in made}) == 1
    return [list(batches) for batches in made]


@pytest.mark.parametrize("workers", [1, 2, 3, 8])
def test_every_pair_once_an_epoch(workers: int) -> None:
    found = shares(workers)
    assert len({len(batches) for batches in found}) == 1
    assert all(batch for batches in found for batch in batches)
    rows = [row for batches in found for batch in batches for row in batch]
    assert sorted(row for row in rows if row < 131) == list(range(131))


def test_an_update_holds_the_same_pairs_however_many_workers_share_it() -> None:
    def updates(workers: int) -> list[set[int]]:
        found = shares(workers)
        each = len(found[0]) // 9  # ⌈131 / 16⌉ updates
        return [
            {row for batches in found for batch in batches[at * each : (at + 1) * each] for row in batch if row < 131}
            for at in range(9)
        ]

    assert updates(1) == updates(2) == updates(4)
    assert [len(update) for update in updates(1)] == [16] * 8 + [3]


def test_each_epoch_has_an_order_of_its_own() -> None:
    assert shares(1, epoch=0) != shares(1, epoch=1)
    assert shares(1, epoch=1) == shares(1, epoch=1)


def test_a_batch_holds_the_tokens_asked_for() -> None:
    for batch in itertools.chain(*shares(2)):
        longest = max(LENGTHS[row] for row in batch if row < 131) if any(row < 131 for row in batch) else 1
        assert 2 * len(batch) * longest <= 600 or len(batch) == 1


def test_a_longer_row_goes_alone() -> None:
    assert by_tokens([5, 100, 5], 20) == [[1], [0, 2]]


def test_the_largest_batch_is_the_smallest_possible() -> None:
    lengths = [9, 7, 7, 4, 2, 2, 1]

    def largest(cut: list[list[int]]) -> int:
        return max(len(batch) * max(lengths[row] for row in batch) for batch in cut)

    # All ways to cut the rows, which are sorted, into three: batches of neighbours are enough.
    cuts = [
        [list(range(0, a)), list(range(a, b)), list(range(b, 7))] for a, b in itertools.combinations(range(1, 7), 2)
    ]
    assert largest(into(lengths, 3)) == min(map(largest, cuts))
    assert len(into([1] * 5, 5)) == 5
