"""Reading FSMT, the translation models of FAIR for WMT19, as transformers writes them."""

from solutions.checkpoints.encoder_decoder import (
    POSITIONS,
    SOURCE,
    TARGET,
    end_ids,
    load,
    read_config,
)
from solutions.checkpoints.files import Checkpoint, Settings
from solutions.transformer import Transformer

_OUTPUT = "decoder.output_projection.weight"


def load_fsmt(settings: Settings, checkpoint: Checkpoint) -> Transformer:
    """Make a Transformer of an FSMT checkpoint.

    It has two vocabularies, even where they are the same. Its positions are those of
    tensor2tensor; they leave out padding and start at ``pad_id + 1``. They may be stored, and then
    they are used as they are, and there are no more of them; computed, they have no end.

    Args:
        settings: its configuration.
        checkpoint: its tensors, by names without the prefix "model.".

    Raises:
        CheckpointError: if it is not an FSMT that the class can be.
    """
    has_positions = any(name in checkpoint for name in POSITIONS.values())
    is_tied = settings.get(bool, "tie_word_embeddings", default=False)
    # fairseq's name for a decoder whose two matrices are one; both may be stored, all the same.
    shares_output = settings.get(bool, "share_decoder_input_output_embed", default=False)
    tied_head = is_tied or (shares_output and _OUTPUT not in checkpoint)
    config = read_config(
        settings,
        activation="relu",
        vocab_size=settings.get(int, "src_vocab_size"),
        target_vocab_size=settings.get(int, "tgt_vocab_size", "vocab_size"),
        position_layout="tensor2tensor",
        skip_padding=True,
        stored_positions=has_positions,
        max_positions=settings.get(int, "max_position_embeddings") if has_positions else None,
        scale_embedding=settings.get(bool, "scale_embedding", default=True),
        share_embeddings=is_tied,
        tied_head=tied_head,
        pad_id=settings.get(int, "pad_token_id", default=1),
        start_id=settings.get(int, "decoder_start_token_id", default=2),
        end_ids=end_ids(settings, default=2),
    )
    return load(
        checkpoint,
        config,
        {
            "embeddings.source": [TARGET, SOURCE, _OUTPUT] if is_tied else [SOURCE],
            "embeddings.target": [TARGET],
            "embeddings.output": [_OUTPUT],
        },
    )
