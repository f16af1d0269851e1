"""Reading Marian, the translation models of OPUS-MT, as transformers of all ages writes them."""

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

_SHARED, _OUTPUT, _BIAS = "shared.weight", "lm_head.weight", "final_logits_bias"


def load_marian(settings: Settings, checkpoint: Checkpoint) -> Transformer:
    """Make a Transformer of a Marian checkpoint.

    Its positions are sinusoids in halves. They may be stored, and then they are used as they are;
    if ``static_position_embeddings`` is false, they were learned and must be there.

    Args:
        settings: its configuration.
        checkpoint: its tensors, by names without the prefix "model.".

    Raises:
        CheckpointError: if it is not a Marian that the class can be.
    """
    is_static = settings.get(bool, "static_position_embeddings", default=True)
    has_positions = any(name in checkpoint for name in POSITIONS.values())
    is_shared = settings.get(bool, "share_encoder_decoder_embeddings", default=True)
    is_tied = settings.get(bool, "tie_word_embeddings", default=True)
    if is_shared and not is_tied and SOURCE in checkpoint and TARGET in checkpoint:
        # transformers 5 ties nothing then, and writes one matrix that it has no use for.
        checkpoint.drop(_SHARED)
        is_shared = False
    vocab_size = settings.get(int, "vocab_size")
    decoder_vocab_size = settings.get(int, "decoder_vocab_size", default=vocab_size)
    config = read_config(
        settings,
        activation="gelu",
        vocab_size=vocab_size,
        target_vocab_size=vocab_size if is_shared else decoder_vocab_size,
        position_layout="halves",
        stored_positions=has_positions or not is_static,
        max_positions=settings.get(int, "max_position_embeddings"),
        scale_embedding=settings.get(bool, "scale_embedding", default=False),
        share_embeddings=is_shared,
        tied_head=is_tied,
        output_bias=_BIAS in checkpoint,
        pad_id=settings.get(int, "pad_token_id", default=58100),
        start_id=settings.get(int, "decoder_start_token_id", default=58100),
        end_ids=end_ids(settings, default=0),
    )
    source = [_SHARED, SOURCE] if is_shared else [SOURCE]
    target = [TARGET, _OUTPUT] if is_tied else [TARGET]
    return load(
        checkpoint,
        config,
        {
            "embeddings.source": [*source, *target] if is_shared else source,
            "embeddings.target": target,
            "embeddings.output": [_OUTPUT],
        },
    )
