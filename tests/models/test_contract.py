"""What holds for all of `solutions/`: what it leans on, and what the chapters can count on."""

import ast
import builtins
import dis
import importlib
import sys
from pathlib import Path
from types import CodeType

import pytest
import torch

from tests.models.agreement import SOLUTIONS

# The functions that become exercises, chapter by chapter.
EXERCISES = {
    "elmo": "char_ids char_cnn highway lstm_cell bilm_loss scalar_mix elmo_embed",
    "attention": "softmax attention_weights scaled_dot_product_attention causal_mask padding_mask "
    "split_heads merge_heads multi_head_attention",
    "transformer": "sinusoidal_positions layer_norm feed_forward encoder_layer decoder_layer "
    "noam_learning_rate label_smoothed_loss greedy_decode beam_search",
    "bert": "wordpiece mask_tokens masked_lm_loss next_sentence_pairs bert_embeddings gelu "
    "bert_layer mean_pool",
    "llama": "rms_norm rope_frequencies apply_rope swiglu grouped_query_attention llama_block "
    "decode_step sample_top_p",
    "chatglm": "prefix_mask position_ids_2d apply_rope_2d geglu deepnorm_constants "
    "deepnorm_residual glm_block blank_infilling_batch",
    "bloom": "alibi_slopes alibi_bias split_fused_qkv bloom_attention embedding_layer_norm "
    "bloom_block",
    "five_models": "count_parameters kv_cache_bytes training_flops build_model",
}
MODELS = {
    "elmo": "Elmo",
    "transformer": "Transformer",
    "bert": "Bert",
    "llama": "Llama",
    "chatglm": "ChatGLM",
    "bloom": "Bloom",
}
MAY_USE = {"torch", "numpy", "safetensors", "h5py", "gguf", "solutions"}
SOURCES = sorted(SOLUTIONS.rglob("*.py"))


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: file.relative_to(SOLUTIONS).as_posix())
def test_only_torch_numpy_and_readers_of_files_are_used(file: Path) -> None:
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            found.add((node.module or "").split(".")[0])
    assert found - MAY_USE - sys.stdlib_module_names == set()


@pytest.mark.parametrize(
    ("module", "name"),
    [(module, name) for module, names in EXERCISES.items() for name in names.split()],
)
def test_an_exercise_stands_on_imports_and_earlier_functions(module: str, name: str) -> None:
    """Its source takes the place of an import in a notebook, where nothing else is there."""
    tree = ast.parse((SOLUTIONS / f"{module}.py").read_text(encoding="utf-8"))
    known = set(dir(builtins))
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            known |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
        if isinstance(node, ast.FunctionDef):
            if node.name == name:
                break
            if not node.name.startswith("_"):
                known.add(node.name)
    else:
        pytest.fail(f"solutions/{module}.py defines no {name}")
    code = compile(ast.Module([node], []), module, "exec")
    assert _globals_of(code) - known - {name} == set()
    assert (ast.get_docstring(node) or "").splitlines()[0].endswith((".", ":"))


def _globals_of(code: CodeType) -> set[str]:
    names = {
        str(step.argval)
        for step in dis.get_instructions(code)
        if step.opname in ("LOAD_GLOBAL", "LOAD_NAME")
    }
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            names |= _globals_of(constant)
    return names


def test_no_exercise_has_the_name_of_another() -> None:
    names = [name for names in EXERCISES.values() for name in names.split()]
    for module in ("one_hot", "word2vec"):
        tree = ast.parse((SOLUTIONS / f"{module}.py").read_text(encoding="utf-8"))
        names += [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(("module", "name"), MODELS.items())
def test_each_model_is_where_its_chapter_says_and_reads_checkpoints(module: str, name: str) -> None:
    model = getattr(importlib.import_module(f"solutions.{module}"), name)
    assert issubclass(model, torch.nn.Module)
    with pytest.raises((ValueError, FileNotFoundError), match="no-such-folder"):
        model.from_pretrained("no-such-folder")
