"""ELMo put together from torch's own modules: the other side of the tests of gradients."""

import torch
from torch import Tensor, nn

from tests.models import naive_elmo


class Twin(nn.Module):
    """The model of torch's own modules, which reads one sentence at a time and has no clips."""

    def __init__(self, ours: nn.Module) -> None:
        super().__init__()
        config, state = ours.config, ours.state_dict()
        found, size, cell = config.num_filters, config.projection_size, config.cell_size
        self.embedding = nn.Embedding(262, config.char_size)
        self.filters = nn.ModuleList(
            nn.Conv1d(config.char_size, count, width) for width, count in config.filters
        )
        self.transforms = nn.ModuleList(nn.Linear(found, found) for _ in range(config.num_highways))
        self.gates = nn.ModuleList(nn.Linear(found, found) for _ in range(config.num_highways))
        self.projection = nn.Linear(found, size)
        for direction in ("forward_lstm", "backward_lstm"):
            lstms = (nn.LSTM(size, cell, proj_size=size) for _ in range(config.num_layers))
            setattr(self, direction, nn.ModuleList(lstms))
        self.softmax = nn.Linear(size, config.vocab_size)
        self.pairs = dict(self._pairs())
        with torch.no_grad():
            for name, parameter in self.pairs.items():
                parameter.copy_(state[name])
            for name, parameter in self.named_parameters():
                if "bias_hh" in name:
                    parameter.zero_()

    def _pairs(self) -> list[tuple[str, nn.Parameter]]:
        """Our names, and the parameters here that they stand for."""
        pairs = [("char_embedding", self.embedding.weight)]
        for name, module in (("word_projection", self.projection), ("softmax", self.softmax)):
            pairs += [(f"{name}.weight", module.weight), (f"{name}.bias", module.bias)]
        for number, module in enumerate(self.filters):
            pairs += [(f"filters.{number}.{name}", p) for name, p in module.named_parameters()]
        for kind, modules in (("transform", self.transforms), ("gate", self.gates)):
            for number, module in enumerate(modules):
                pairs += [
                    (f"highways.{number}.{kind}_{name}", p) for name, p in module.named_parameters()
                ]
        names = {"weight_ih_l0": "input_weight", "weight_hh_l0": "hidden_weight"}
        names |= {"bias_ih_l0": "bias", "weight_hr_l0": "projection_weight"}
        for direction in ("forward_lstm", "backward_lstm"):
            for number, module in enumerate(getattr(self, direction)):
                for theirs, ours in names.items():
                    pairs.append((f"layers.{number}.{direction}.{ours}", getattr(module, theirs)))
        return pairs

    def loss(self, sentences: list[list[str]], token_ids: Tensor, length: int) -> Tensor:
        """The loss, of each direction by itself, and half of their sum."""
        logits: dict[str, list[Tensor]] = {"forward_lstm": [], "backward_lstm": []}
        targets: dict[str, list[Tensor]] = {"forward_lstm": [], "backward_lstm": []}
        for sentence, row in zip(sentences, token_ids, strict=True):
            words = ["<S>", *sentence, "</S>"]
            ids = torch.tensor([naive_elmo.spell(word, length) for word in words])
            x = self.embedding(ids).mT
            x = torch.cat([nn.ReLU()(one(x).amax(-1)) for one in self.filters], dim=-1)
            for transform, gate in zip(self.transforms, self.gates, strict=True):
                x = torch.lerp(x, nn.ReLU()(transform(x)), nn.Sigmoid()(gate(x)))
            x = self.projection(x)
            for direction, order in (("forward_lstm", 1), ("backward_lstm", -1)):
                hidden = x[::1] if order == 1 else x.flip(0)
                for number, module in enumerate(getattr(self, direction)):
                    output = module(hidden)[0]
                    hidden = output + hidden if number else output
                logits[direction].append(self.softmax(hidden[:-1]))
                real = row[: len(words)]
                targets[direction].append(real[1:] if order == 1 else real.flip(0)[1:])
        losses = [
            nn.CrossEntropyLoss()(torch.cat(logits[name]), torch.cat(targets[name]))
            for name in logits
        ]
        return sum(losses, torch.tensor(0.0)) / 2
