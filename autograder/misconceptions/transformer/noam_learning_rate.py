"""Wrong answers to the exercise `noam_learning_rate`."""

from __future__ import annotations

from autograder.misconceptions import misconception


def _refuse(step: int, warmup_steps: int) -> None:
    if step < 1 or warmup_steps < 1:
        raise ValueError("both count from 1")


@misconception("noam_learning_rate")
def steps_counted_from_zero(step: int, model_dim: int, warmup_steps: int) -> float:
    """You count the steps from 0, so that you are one step ahead. `step` counts from 1 already: use
    it as it is."""
    _refuse(step, warmup_steps)
    return model_dim**-0.5 * min((step + 1) ** -0.5, (step + 1) * warmup_steps**-1.5)


@misconception("noam_learning_rate")
def the_larger_of_the_two(step: int, model_dim: int, warmup_steps: int) -> float:
    """Your rate falls first and rises after the warm-up. It is the smaller of the two curves that
    counts at each step."""
    _refuse(step, warmup_steps)
    return model_dim**-0.5 * max(step**-0.5, step * warmup_steps**-1.5)


@misconception("noam_learning_rate")
def curves_that_do_not_meet(step: int, model_dim: int, warmup_steps: int) -> float:
    """Your two curves don't meet at the end of the warm-up. Put step = warmup_steps into both: with
    which exponent of warmup_steps are they equal?"""
    _refuse(step, warmup_steps)
    return model_dim**-0.5 * min(step**-0.5, step * warmup_steps**-0.5)


@misconception("noam_learning_rate")
def grows_with_the_model(step: int, model_dim: int, warmup_steps: int) -> float:
    """Your rate is larger for wider models. The width has a negative exponent, too."""
    _refuse(step, warmup_steps)
    return model_dim**0.5 * min(step**-0.5, step * warmup_steps**-1.5)


@misconception("noam_learning_rate")
def width_left_out(step: int, model_dim: int, warmup_steps: int) -> float:
    """Your rate does not depend on the width of the model. A wider model takes smaller steps."""
    _refuse(step, warmup_steps)
    return min(step**-0.5, step * warmup_steps**-1.5)


@misconception("noam_learning_rate")
def no_fall(step: int, model_dim: int, warmup_steps: int) -> float:
    """Your rate stays where it is after the warm-up. From there on it falls with the inverse square
    root of the step."""
    _refuse(step, warmup_steps)
    return (model_dim * warmup_steps) ** -0.5 * min(1.0, step / warmup_steps)


@misconception("noam_learning_rate")
def fall_counted_from_the_peak(step: int, model_dim: int, warmup_steps: int) -> float:
    """Your fall begins to count at the end of the warm-up. The root is that of the step itself,
    counted from the beginning of the training."""
    _refuse(step, warmup_steps)
    rise, fall = min(1.0, step / warmup_steps), max(step - warmup_steps + 1, 1) ** -0.5
    return (model_dim * warmup_steps) ** -0.5 * rise * fall


@misconception("noam_learning_rate")
def step_zero_gets_a_rate(step: int, model_dim: int, warmup_steps: int) -> float:
    """You give a rate for a step below 1. There is no such step: the docstring says what should
    happen."""
    if warmup_steps < 1:
        raise ValueError("warmup_steps counts from 1")
    return model_dim**-0.5 * min(max(step, 1) ** -0.5, step * warmup_steps**-1.5)


@misconception("noam_learning_rate")
def warmup_of_no_steps(step: int, model_dim: int, warmup_steps: int) -> float:
    """You give a rate for a warm-up of less than one step. The docstring says what should happen:
    both numbers count from 1."""
    if step < 1:
        raise ValueError("step counts from 1")
    return model_dim**-0.5 * min(step**-0.5, step * max(warmup_steps, 1) ** -1.5)
