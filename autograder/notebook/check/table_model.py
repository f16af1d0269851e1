"""A language model that is a table: a callable input for checks that can be written down."""

from __future__ import annotations

from torch import Tensor


class TableModel:
    """A language model whose answers stand in a table; for the checks of decoding.

    What it says depends on a text's last token and on its memory: the sum of all its tokens so far,
    divided with remainder by the number of memories. It keeps the memory of each row from call to
    call where it is told the rows' parents, as a model with a cache does.

    Args:
        logits: float, shape (memories, V, V): for each memory and each last token the logits of
            the next one.
    """

    def __init__(self, logits: Tensor) -> None:
        self.logits = logits
        self._memory: Tensor | None = None

    def __call__(self, ids: Tensor, parents: Tensor | None = None) -> Tensor:
        """Give the logits of the token after each text.

        Args:
            ids: the texts so far, shape (rows, T), int64, T at least 1.
            parents: for each row, which row of the last call it continues, shape (rows,), int64.
                None: the memory is worked out anew from the whole text.

        Returns:
            Shape (rows, V).
        """
        if parents is None or self._memory is None:
            memory = ids.sum(dim=1)
        else:
            memory = self._memory[parents] + ids[:, -1]
        self._memory = memory if parents is not None else None
        return self.logits[memory % len(self.logits), ids[:, -1]]

    def __repr__(self) -> str:
        memories, vocab_size, _ = self.logits.shape
        return f"TableModel({vocab_size} tokens, {memories} memories)"
