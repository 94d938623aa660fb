"""Shards in memory, and padded batches of them."""
import json
from pathlib import Path

import numpy as np
import torch

from shards import read_shard


class Sequences:
    """All examples of one split in one or more folders."""

    def __init__(self, folders, split):
        self.ids, parts = [], {name: [] for name in ("body", "hole", "ends", "language")}
        for folder in folders if isinstance(folders, (list, tuple)) else [folders]:
            for name in sorted(json.loads((Path(folder) / f"{split}.json").read_text())["files"]):
                shard = read_shard(Path(folder) / name)
                self.ids += np.split(shard["ids"], np.cumsum(shard["length"].astype(np.int64))[:-1])
                for key, part in parts.items():
                    part.append(shard[key])
        self.body, self.hole, self.ends, self.language = (np.concatenate(parts[k]).astype(np.int64) for k in parts)

    def __len__(self):
        return len(self.ids)

    def batch(self, chosen, device, prompts_only=False, longest=None):
        """ids [N, T] padded to a multiple of 16 (or to `longest`), and body, hole, end [N], ends [N] bool."""
        rows = [self.ids[i][: self.hole[i]] if prompts_only else self.ids[i] for i in chosen]
        width = longest or -(-max(map(len, rows)) // 16) * 16
        ids = np.zeros((len(rows), width), dtype=np.int64)
        for row, values in enumerate(rows):
            ids[row, : len(values)] = values[:width]
        end = np.minimum([len(values) for values in rows], width)
        ends = self.ends[chosen].astype(bool) & (end < width)
        made = (ids, self.body[chosen], np.minimum(self.hole[chosen], width), end, ends)
        return tuple(torch.from_numpy(np.ascontiguousarray(x)).to(device) for x in made)
