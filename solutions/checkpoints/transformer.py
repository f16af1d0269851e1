"""Reading Transformers: which kind of checkpoint it is."""

import os

from solutions.checkpoints.files import Checkpoint, Settings
from solutions.checkpoints.fsmt import load_fsmt
from solutions.checkpoints.marian import load_marian
from solutions.transformer import Transformer


def load_transformer(directory: str | os.PathLike[str]) -> Transformer:
    """Read a checkpoint of Marian or FSMT.

    Args:
        directory: has config.json with a ``model_type``, and safetensors or pytorch_model.bin,
            whole or sharded.

    Returns:
        The model in evaluation mode.

    Raises:
        CheckpointError: if it is damaged, or not a Transformer that the class can be.
    """
    settings = Settings.open(directory, ["marian", "fsmt"])
    loaders = {"marian": load_marian, "fsmt": load_fsmt}
    loader = loaders[settings.get(str, "model_type")]
    checkpoint = Checkpoint.open(directory)
    checkpoint.rename(lambda name: name.removeprefix("model."))
    return loader(settings, checkpoint)
