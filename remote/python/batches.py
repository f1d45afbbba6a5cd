"""In: how long rows are. Out: which of them go together, so that little is padded and every batch takes about as long."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch
from torch.utils.data import Sampler


def by_tokens(lengths: Sequence[int], most: int) -> list[list[int]]:
    """Rows by falling length, as many together as `most` padded tokens hold; a longer row goes alone."""
    order = sorted(range(len(lengths)), key=lambda row: -lengths[row])
    found, start = [], 0
    while start < len(order):
        size = max(1, most // max(1, lengths[order[start]]))
        found.append(order[start : start + size])
        start += size
    return found


def into(lengths: Sequence[int], count: int) -> list[list[int]]:
    """Exactly `count` batches, none empty, the largest of which holds as few padded tokens as can be.

    @param lengths of at least `count` rows
    """
    low, high = 1, len(lengths) * max(lengths)
    while low < high:
        most = (low + high) // 2
        low, high = (low, most) if len(by_tokens(lengths, most)) <= count else (most + 1, high)
    found = by_tokens(lengths, low)
    while len(found) < count:
        largest = max(found, key=len)
        half = len(largest) // 2
        found += [largest[:half], largest[half:]]
        found.remove(largest)
    return found


class UpdateBatches(Sampler[list[int]]):
    """The batches that one worker takes in an epoch: random updates, all cut by tokens into as many batches.

    Each worker computes the same cut and takes every `workers`-th batch of it. The order depends on the seed and the
    epoch alone, so a resumed run goes on in it.
    """

    def __init__(
        self, lengths: Sequence[int], *, batch_pairs: int, batch_tokens: int, seed: int, rank: int, workers: int
    ) -> None:
        """@param batch_tokens that a batch holds about at the most; a row's tokens are those of its longer text, twice"""
        self._lengths = lengths
        self._batch_pairs = batch_pairs
        self._seed = seed
        self._rank = rank
        self._workers = workers
        #: Which epoch it is, from 0; asked when an epoch begins.
        self.epoch: Callable[[], int] = lambda: 0
        needed = max(len(by_tokens(self._of(update), batch_tokens // 2)) for update in self._updates(0))
        #: Batches of this worker in an update.
        self.in_update = -(-needed // workers)

    def __len__(self) -> int:
        return -(-len(self._lengths) // self._batch_pairs) * self.in_update

    def __iter__(self) -> Iterator[list[int]]:
        count = self.in_update * self._workers
        for update in self._updates(self.epoch()):
            # The row after the last one counts for nothing: it fills a last update of fewer pairs than batches.
            rows = update + [len(self._lengths)] * (count - len(update))
            for batch in into(self._of(rows), count)[self._rank :: self._workers]:
                yield [rows[row] for row in batch]

    def _of(self, rows: list[int]) -> list[int]:
        return [self._lengths[row] if row < len(self._lengths) else 1 for row in rows]

    def _updates(self, epoch: int) -> Iterator[list[int]]:
        random = torch.Generator().manual_seed(self._seed * 1_000_003 + epoch)
        order = torch.randperm(len(self._lengths), generator=random).tolist()
        for start in range(0, len(order), self._batch_pairs):
            yield order[start : start + self._batch_pairs]
