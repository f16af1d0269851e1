"""The weights of a layer by name, so that a function of plain tensors can compute the layer.

The exercises of the course take weights as mappings: ``weights["attention"]["query_weight"]``. The
models hold theirs in the two classes here, which are such mappings, and modules of torch too. So a
layer of a model is its weights and a call of the exercise's function.
"""

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn

Shapes = Mapping[str, tuple[int, ...]]


class WeightGroup(nn.Module, Mapping[str, Tensor]):
    """Some tensors that are learned, by name: a mapping, and a module.

    Args:
        shapes: the name and shape of each tensor.
        std: standard deviation of the normal distribution that matrices start from. Vectors start
            from 1 if their name is "weight", as the gain of a norm is, and else from 0.
    """

    def __init__(self, shapes: Shapes, std: float = 0.02) -> None:
        super().__init__()
        for name, shape in shapes.items():
            tensor = torch.ones(shape) if name == "weight" else torch.zeros(shape)
            if len(shape) > 1:
                tensor = tensor.normal_(0.0, std)
            self.register_parameter(name, nn.Parameter(tensor))

    def __getitem__(self, name: str) -> Tensor:
        """Give the tensor of that name; KeyError if there is none."""
        tensor = self._parameters[name]
        assert tensor is not None
        return tensor

    def __iter__(self) -> Iterator[str]:
        """Go through the names."""
        return iter(self._parameters)

    def __len__(self) -> int:
        """Give the number of tensors."""
        return len(self._parameters)

    # A mapping is compared by content and has no hash; torch keeps modules in sets, by identity.
    __eq__ = object.__eq__
    __hash__ = object.__hash__


class LayerWeights(nn.Module, Mapping[str, Mapping[str, Tensor]]):
    """Groups of tensors by name, such as "attention" and "feed_forward": a mapping, and a module.

    Args:
        groups: for each group the names and shapes of its tensors.
        std: as in ``WeightGroup``.
    """

    def __init__(self, groups: Mapping[str, Shapes], std: float = 0.02) -> None:
        super().__init__()
        for name, shapes in groups.items():
            self.add_module(name, WeightGroup(shapes, std))

    def __getitem__(self, name: str) -> Mapping[str, Tensor]:
        """Give the group of that name; KeyError if there is none."""
        group = self._modules[name]
        assert isinstance(group, WeightGroup)
        return group

    def __iter__(self) -> Iterator[str]:
        """Go through the names."""
        return iter(self._modules)

    def __len__(self) -> int:
        """Give the number of groups."""
        return len(self._modules)

    __eq__ = object.__eq__
    __hash__ = object.__hash__


class LayerStack(nn.ModuleList):
    """The weights of layers that are alike, first to last.

    Args:
        groups: as in ``LayerWeights``, the same for each layer.
        num_layers: L.
        std: as in ``WeightGroup``.
    """

    def __init__(self, groups: Mapping[str, Shapes], num_layers: int, std: float = 0.02) -> None:
        super().__init__(LayerWeights(groups, std) for _ in range(num_layers))

    def __iter__(self) -> Iterator[LayerWeights]:
        """Go through the layers."""
        for layer in super().__iter__():
            assert isinstance(layer, LayerWeights)
            yield layer


def attention_shapes(hidden_size: int) -> Shapes:
    """Give the names and shapes of the weights that ``multi_head_attention`` takes."""
    shapes: dict[str, tuple[int, ...]] = {}
    for name in ("query", "key", "value", "output"):
        shapes[f"{name}_weight"] = (hidden_size, hidden_size)
        shapes[f"{name}_bias"] = (hidden_size,)
    return shapes


def feed_forward_shapes(hidden_size: int, intermediate_size: int) -> Shapes:
    """Give the names and shapes of the weights that ``feed_forward`` takes."""
    return {
        "inner_weight": (intermediate_size, hidden_size),
        "inner_bias": (intermediate_size,),
        "outer_weight": (hidden_size, intermediate_size),
        "outer_bias": (hidden_size,),
    }


def norm_shapes(hidden_size: int) -> Shapes:
    """Give the names and shapes of the gain and the bias of a layer norm."""
    return {"weight": (hidden_size,), "bias": (hidden_size,)}


def encoder_layer_shapes(hidden_size: int, intermediate_size: int) -> Mapping[str, Shapes]:
    """Give the groups of weights that ``encoder_layer`` takes."""
    return {
        "attention": attention_shapes(hidden_size),
        "attention_norm": norm_shapes(hidden_size),
        "feed_forward": feed_forward_shapes(hidden_size, intermediate_size),
        "feed_forward_norm": norm_shapes(hidden_size),
    }


def decoder_layer_shapes(hidden_size: int, intermediate_size: int) -> Mapping[str, Shapes]:
    """Give the groups of weights that ``decoder_layer`` takes."""
    return {
        "self_attention": attention_shapes(hidden_size),
        "self_attention_norm": norm_shapes(hidden_size),
        "cross_attention": attention_shapes(hidden_size),
        "cross_attention_norm": norm_shapes(hidden_size),
        "feed_forward": feed_forward_shapes(hidden_size, intermediate_size),
        "feed_forward_norm": norm_shapes(hidden_size),
    }
