"""In: how long the pairs are. Out: the order of an epoch: random updates, each sorted by length."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch
from torch.utils.data import Sampler


class UpdateOrder(Sampler[int]):
    """Which pairs make an update is random; inside it neighbours are of like length, so that batches hold little padding.

    The workers take batch after batch in turn, so those of one moment are of like length too. Rows from `pairs` on
    are the fillers of the last update. The order depends on the seed and the epoch alone: a resumed run goes on in it.
    """

    def __init__(
        self, lengths: Sequence[int], pairs: int, batch_pairs: int, seed: int, epoch: Callable[[], int]
    ) -> None:
        self._lengths = lengths
        self._pairs = pairs
        self._batch_pairs = batch_pairs
        self._seed = seed
        self._epoch = epoch

    def __len__(self) -> int:
        return len(self._lengths)

    def __iter__(self) -> Iterator[int]:
        random = torch.Generator().manual_seed(self._seed * 1_000_003 + self._epoch())
        order = torch.randperm(self._pairs, generator=random).tolist()
        for start in range(0, self._pairs, self._batch_pairs):
            update = order[start : start + self._batch_pairs]
            if start + self._batch_pairs >= self._pairs:
                update += range(self._pairs, len(self._lengths))
            yield from sorted(update, key=lambda row: self._lengths[row])
