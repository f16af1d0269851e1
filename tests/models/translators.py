"""Small translation models of transformers with weights that bite, and the folders they are in."""

import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import FSMTConfig, FSMTForConditionalGeneration, MarianConfig, MarianMTModel

from tests.models.agreement import randomise
from tests.models.stored import read, write

_FOLDERS = tempfile.TemporaryDirectory()

_SIZES: dict[str, Any] = {
    "d_model": 84,
    "encoder_layers": 2,
    "decoder_layers": 3,
    "encoder_attention_heads": 6,
    "decoder_attention_heads": 7,
    "encoder_ffn_dim": 40,
    "decoder_ffn_dim": 56,
    "max_position_embeddings": 24,
    "dropout": 0.0,
    # Else transformers ends every text that it does not end by itself.
    "forced_eos_token_id": None,
}

# Sources of different lengths, with padding on the right, on the left and in the middle.
PADDED = [
    [1, 1, 1, 1, 1, 0, 0],
    [0, 0, 1, 1, 1, 1, 1],
    [1, 1, 0, 0, 1, 0, 1],
    [1, 1, 1, 1, 1, 1, 1],
]
TARGET_PADDED = [[1, 1, 1, 0, 0], [1, 1, 1, 1, 1], [1, 0, 1, 1, 0], [1, 0, 0, 0, 0]]


@cache
def marian(
    stored_positions: bool = False, is_lively: bool = False, **changes: Any
) -> tuple[MarianMTModel, Path]:
    """A small Marian and its folder; padding is token 60, which is the start token as well.

    transformers does not write the positions, older files have them.
    """
    if is_lively:
        changes = {"tie_word_embeddings": False, "scale_embedding": True} | changes
    tokens = {"pad_token_id": 60, "decoder_start_token_id": 60, "eos_token_id": 0}
    config = MarianConfig(**{"vocab_size": 61, **_SIZES, **tokens} | changes)
    model = randomise(MarianMTModel(config))
    sides = {"encoder": model.model.encoder, "decoder": model.model.decoder}
    with torch.no_grad():
        model.final_logits_bias.copy_(torch.linspace(-1, 1, model.final_logits_bias.shape[1]))
        if not stored_positions:
            for side in sides.values():
                side.embed_positions.weight.copy_(side.embed_positions.create_weight())
    if is_lively:
        _enliven(model, model.lm_head)
    folder = _save(model)
    if stored_positions:
        config, tensors = read(folder)
        for name, side in sides.items():
            tensors[f"model.{name}.embed_positions.weight"] = side.embed_positions.weight.data
        write(folder, config, tensors)
    return model, folder


@cache
def fsmt(
    stored_positions: bool = False, is_lively: bool = False, **changes: Any
) -> tuple[nn.Module, Path]:
    """A small FSMT and its folder; transformers writes its positions too, older files have none.

    With stored positions, numbers are small before the first norm, where its eps matters.
    """
    sizes = {"langs": ["en", "de"], "src_vocab_size": 61, "tgt_vocab_size": 53, **_SIZES}
    model = randomise(FSMTForConditionalGeneration(FSMTConfig(**sizes | changes)))
    encoder, decoder = model.model.encoder, model.model.decoder
    if stored_positions:
        first = encoder.layers[0].self_attn.out_proj
        with torch.no_grad():
            for part in (encoder.embed_positions, encoder.embed_tokens, first):
                for parameter in part.parameters():
                    parameter.mul_(0.01)
        return model, _save(model)
    with torch.no_grad():
        for table in (encoder.embed_positions, decoder.embed_positions):
            table.weight.copy_(table.get_embedding(*table.weight.shape, table.padding_idx))
    if is_lively:
        _enliven(model, decoder.output_projection)
    folder = _save(model)
    config, tensors = read(folder)
    return model, write(folder, config, {n: t for n, t in tensors.items() if "positions" not in n})


def _enliven(model: Any, output: nn.Module) -> None:
    """Give it weights with which texts are not one token again and again.

    The most probable token is often the one after the last, unless a layer objects.
    """
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim == 1 and name.endswith("bias"):
                parameter.mul_(0.1)
            elif ".decoder." in name and name.endswith(("out_proj.weight", "fc2.weight")):
                parameter.mul_(0.5)
        output.weight.copy_(model.model.decoder.embed_tokens.weight.roll(1, 0))


def _save(model: Any) -> Path:
    folder = Path(tempfile.mkdtemp(dir=_FOLDERS.name))
    model.save_pretrained(folder)
    return folder


def sources(mask: list[list[int]] | None = None, pad_id: int = 60) -> dict[str, Tensor]:
    """Three sources of 9 tokens, or as many as the mask has; padding stands where the mask says."""
    shape = (3, 9) if mask is None else (len(mask), len(mask[0]))
    ids = torch.randint(2, 53, shape, generator=torch.Generator().manual_seed(1))
    if mask is None:
        return {"input_ids": ids}
    attention_mask = torch.tensor(mask)
    return {
        "input_ids": ids.masked_fill(attention_mask == 0, pad_id),
        "attention_mask": attention_mask,
    }


def targets(mask: list[list[int]], start_id: int = 60, pad_id: int = 60) -> dict[str, Tensor]:
    """Targets from the start token on; padding stands where the mask says."""
    attention_mask = torch.tensor(mask)
    ids = torch.randint(2, 53, attention_mask.shape, generator=torch.Generator().manual_seed(2))
    ids[:, 0] = start_id
    ids[:, 1:] = ids[:, 1:].masked_fill(attention_mask[:, 1:] == 0, pad_id)
    return {"decoder_input_ids": ids, "decoder_attention_mask": attention_mask}
