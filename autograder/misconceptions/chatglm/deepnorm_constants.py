"""Wrong answers to the exercise `deepnorm_constants`."""

from __future__ import annotations

from autograder.misconceptions import misconception
from solutions import chatglm


def _right(architecture: str, layers: int, encoder_layers: int | None) -> dict[str, float]:
    return chatglm.deepnorm_constants(architecture, layers, encoder_layers)


@misconception("deepnorm_constants")
def square_root_for_the_decoder(
    architecture: str, num_layers: int, num_encoder_layers: int | None = None
) -> dict[str, float]:
    """For "decoder" you take the square root. DeepNet's constants are fourth roots; the square
    root is ChatGLM's."""
    if architecture == "decoder" and num_encoder_layers is None:
        return {"alpha": (2 * num_layers) ** 0.5, "beta": (8 * num_layers) ** -0.5}
    return _right(architecture, num_layers, num_encoder_layers)


@misconception("deepnorm_constants")
def fourth_root_for_chatglm(
    architecture: str, num_layers: int, num_encoder_layers: int | None = None
) -> dict[str, float]:
    """For "chatglm" you give the constants of "decoder". ChatGLM's alpha is the square root of 2
    times the number of layers."""
    same = "decoder" if architecture == "chatglm" else architecture
    return _right(same, num_layers, num_encoder_layers)


@misconception("deepnorm_constants")
def beta_grows_with_depth(
    architecture: str, num_layers: int, num_encoder_layers: int | None = None
) -> dict[str, float]:
    """Your beta grows with the depth. It is a negative power: the more layers, the smaller the
    initial weights."""
    constants = _right(architecture, num_layers, num_encoder_layers)
    return {name: 1 / number if name == "beta" else number for name, number in constants.items()}


@misconception("deepnorm_constants")
def one_over_alpha_everywhere(
    architecture: str, num_layers: int, num_encoder_layers: int | None = None
) -> dict[str, float]:
    """Your beta is 1 / alpha for each architecture. That is so in ChatGLM; DeepNet's paper has
    another number under the root of beta."""
    constants = _right(architecture, num_layers, num_encoder_layers)
    return constants | {"beta": 1 / constants["alpha"]}


@misconception("deepnorm_constants")
def layers_of_the_two_towers_swapped(
    architecture: str, num_layers: int, num_encoder_layers: int | None = None
) -> dict[str, float]:
    """You have swapped the numbers of layers: `num_layers` counts the decoder's, and
    `num_encoder_layers` the encoder's."""
    if architecture == "encoder-decoder" and num_encoder_layers is not None:
        return _right(architecture, num_encoder_layers, num_layers)
    return _right(architecture, num_layers, num_encoder_layers)


@misconception("deepnorm_constants")
def fourth_power_on_the_decoder(
    architecture: str, num_layers: int, num_encoder_layers: int | None = None
) -> dict[str, float]:
    """In the encoder's constants you raise the number of the decoder's layers to the fourth power.
    It is the encoder's number that is."""
    constants = _right(architecture, num_layers, num_encoder_layers)
    if architecture == "encoder-decoder" and num_encoder_layers is not None:
        both = num_encoder_layers * num_layers**4
        constants["encoder_alpha"] = 0.81 * both ** (1 / 16)
        constants["encoder_beta"] = 0.87 * both ** (-1 / 16)
    return constants


@misconception("deepnorm_constants")
def the_encoder_left_out(
    architecture: str, num_layers: int, num_encoder_layers: int | None = None
) -> dict[str, float]:
    """For "encoder-decoder" you give the decoder's constants only. The encoder's belong into the
    dictionary, too, under names of their own."""
    constants = _right(architecture, num_layers, num_encoder_layers)
    return {name: constants[name] for name in ("alpha", "beta")}


@misconception("deepnorm_constants")
def the_decoders_names_for_the_encoder(
    architecture: str, num_layers: int, num_encoder_layers: int | None = None
) -> dict[str, float]:
    """Under "alpha" and "beta" you give the encoder's constants, and the decoder's under
    "encoder_alpha" and "encoder_beta". It is the other way round."""
    constants = _right(architecture, num_layers, num_encoder_layers)
    if architecture != "encoder-decoder":
        return constants
    names = {"alpha": "encoder_alpha", "beta": "encoder_beta"}
    names |= {there: here for here, there in names.items()}
    return {name: constants[names[name]] for name in constants}


@misconception("deepnorm_constants")
def any_name_is_a_decoder(
    architecture: str, num_layers: int, num_encoder_layers: int | None = None
) -> dict[str, float]:
    """You take each name that you don't know for "decoder". Another name is an error: raise a
    ValueError."""
    known = architecture in ("encoder-decoder", "chatglm")
    return _right(architecture if known else "decoder", num_layers, num_encoder_layers)


@misconception("deepnorm_constants")
def too_much_is_ignored(
    architecture: str, num_layers: int, num_encoder_layers: int | None = None
) -> dict[str, float]:
    """You ignore the encoder's number where there is no encoder. Where it is too much, raise a
    ValueError."""
    if architecture in ("decoder", "chatglm"):
        num_encoder_layers = None
    return _right(architecture, num_layers, num_encoder_layers)


@misconception("deepnorm_constants")
def missing_is_taken_for_equal(
    architecture: str, num_layers: int, num_encoder_layers: int | None = None
) -> dict[str, float]:
    """Where the encoder's number is missing, you take that of the decoder. It has to be given:
    raise a ValueError."""
    if architecture == "encoder-decoder" and num_encoder_layers is None:
        num_encoder_layers = num_layers
    return _right(architecture, num_layers, num_encoder_layers)


@misconception("deepnorm_constants")
def zero_is_taken_for_missing(
    architecture: str, num_layers: int, num_encoder_layers: int | None = None
) -> dict[str, float]:
    """You take 0 for "not given". It is a number, and too much where there is no encoder: compare
    with None."""
    return _right(architecture, num_layers, num_encoder_layers or None)
