"""Divergences from a teacher against TRL's and torch's own, with their gradients."""

import warnings
from typing import Any

import pytest
import torch
from torch.nn.functional import cross_entropy

from dadeum.model import divergence, nll
from dadeum.model.divergence import Measure, Teaching, losses, most_likely

V, N = 61, 9
KINDS = {"forward_kl": 0.0, "reverse_kl": 1.0, "jensen_shannon": 0.3}


def logits(seed: int, width: int = V, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return (torch.randn(N, width, generator=torch.Generator().manual_seed(seed)) * 4).to(dtype)


def by_trl(student: torch.Tensor, teacher: torch.Tensor, kind: str, temperature: float) -> torch.Tensor:
    """TRL's own, of each place, without the factor T² that it does not have."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it is experimental
        from trl.experimental.gkd import GKDTrainer

    made: torch.Tensor = GKDTrainer.generalized_jsd_loss(
        student, teacher, beta=KINDS[kind], temperature=temperature, reduction="none"
    )
    return made.sum(-1)


@pytest.mark.parametrize("chunk", [1, 4 * V, 2**21])
@pytest.mark.parametrize("temperature", [1.0, 2.5])
@pytest.mark.parametrize("kind", KINDS)
def test_values_and_gradients_are_trls(
    kind: Any, temperature: float, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the labels' own loss beside it is cross entropy: both have their share in one gradient."""
    monkeypatch.setattr(nll, "CHUNK", chunk)
    teacher, targets = logits(1), torch.arange(N) * 5
    hard, soft = torch.linspace(-1, 2, N), torch.linspace(0.5, 3, N)
    one, other = logits(0).requires_grad_(), logits(0).requires_grad_()
    apart = by_trl(one, teacher, kind, temperature) * temperature**2
    plain = cross_entropy(one, targets, reduction="none")
    ((plain * hard).sum() + (apart * soft).sum()).backward()
    found = losses(other * 1, targets, Teaching(teacher), Measure(kind, 0.3, temperature))
    assert torch.allclose(found[0], plain, rtol=1e-5, atol=1e-5)
    assert torch.allclose(found[1], apart, rtol=1e-5, atol=1e-5)
    ((found[0] * hard).sum() + (found[1] * soft).sum()).backward()
    assert one.grad is not None and other.grad is not None
    assert torch.allclose(other.grad, one.grad, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_all_tokens_as_the_most_likely_ones_are_the_whole(kind: Any) -> None:
    measure, teacher, targets = Measure(kind, 0.3, 2.0), logits(1), torch.arange(N)
    one, other = logits(0).requires_grad_(), logits(0).requires_grad_()
    whole = losses(one * 1, targets, Teaching(teacher), measure)[1]
    known = most_likely(teacher, V + 10, 2.0, V + 5)
    found = losses(other * 1, targets, known, measure)[1]
    assert known.values.shape == (N, V)
    assert torch.allclose(found, whole, rtol=1e-5, atol=1e-5)
    whole.sum().backward()
    found.sum().backward()
    assert one.grad is not None and other.grad is not None
    assert torch.allclose(other.grad, one.grad, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("k", [1, 7])
def test_the_most_likely_and_any_other_by_hand(kind: Any, k: int) -> None:
    """Outcomes are the k tokens and the rest: the divergence of these, by torch's own gradients."""
    temperature, beta = 1.5, 0.3
    teacher, targets = logits(1), torch.arange(N)
    one, other = logits(0).requires_grad_(), logits(0).requires_grad_()
    chosen = teacher.topk(k, -1).indices

    def outcomes(values: torch.Tensor) -> torch.Tensor:
        probability = (values / temperature).softmax(-1)
        top = probability.gather(-1, chosen)
        return torch.cat([top, 1 - top.sum(-1, keepdim=True)], -1).double()

    p, q = outcomes(one), outcomes(teacher)
    m = (1 - beta) * p + beta * q
    expected = {
        "forward_kl": (q * (q / p).log()).sum(-1),
        "reverse_kl": (p * (p / q).log()).sum(-1),
        "jensen_shannon": (beta * q * (q / m).log() + (1 - beta) * p * (p / m).log()).sum(-1),
    }[kind] * temperature**2
    found = losses(other * 1, targets, most_likely(teacher, k, temperature, V), Measure(kind, beta, temperature))[1]
    assert torch.allclose(found.double(), expected, rtol=1e-3, atol=1e-5)
    assert bool(
        (found <= losses(logits(0), targets, Teaching(teacher), Measure(kind, beta, temperature))[1] + 1e-5).all()
    )
    expected.sum().backward()
    found.sum().backward()
    assert one.grad is not None and other.grad is not None
    assert torch.allclose(other.grad, one.grad, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(("student", "teacher"), [(V, V + 6), (V + 6, V)])
def test_rows_beyond_the_shorter_vocabulary_are_padding(student: int, teacher: int) -> None:
    mine, theirs = logits(0, student), logits(1, teacher)
    expected = by_trl(mine[:, :V], theirs[:, :V], "forward_kl", 1.0)
    leaf = mine.requires_grad_()
    found = losses(leaf * 1, torch.arange(N), Teaching(theirs), Measure("forward_kl", 0.5, 1.0))[1]
    assert torch.allclose(found, expected, rtol=1e-5, atol=1e-5)
    found.sum().backward()
    assert leaf.grad is not None and not leaf.grad[:, V:].any()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("student", "teacher"), [(V, V + 6), (V + 6, V)])
def test_padding_is_none_of_the_other_tokens(kind: Any, student: int, teacher: int) -> None:
    measure, theirs = Measure(kind, 0.3, 1.5), logits(1, teacher)
    for k in (V, V - 1):
        known = most_likely(theirs, k, 1.5, student)
        assert known.width == V and known.ids is not None and int(known.ids.max()) < V
        expected = losses(logits(0, student), torch.arange(N), Teaching(theirs), measure)[1]
        found = losses(logits(0, student), torch.arange(N), known, measure)[1]
        assert torch.allclose(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_tokens_that_a_model_never_says_are_no_numbers_that_fail(kind: Any) -> None:
    mine, theirs = logits(0), logits(1)
    mine[:, 3] = theirs[:, 3] = -torch.inf
    leaf = mine.requires_grad_()
    found = losses(leaf * 1, torch.full((N,), 5), Teaching(theirs), Measure(kind, 0.5, 1.0))
    (found[0] + found[1]).sum().backward()
    assert found[1].isfinite().all() and leaf.grad is not None and leaf.grad.isfinite().all()


def test_short_types_and_no_token() -> None:
    leaf = logits(0, dtype=torch.bfloat16).requires_grad_()
    teaching, measure = Teaching(logits(1, dtype=torch.bfloat16)), Measure("forward_kl", 0.5, 1.0)
    found = losses(leaf * 1, torch.arange(N), teaching, measure)
    assert found[0].dtype == found[1].dtype == torch.float32
    found[1].sum().backward()
    assert leaf.grad is not None and leaf.grad.dtype == torch.bfloat16 and leaf.grad.isfinite().all()
    none = logits(0)[:0].requires_grad_()
    empty = losses(none * 1, torch.arange(0), Teaching(logits(1)[:0]), measure)
    assert empty[0].shape == empty[1].shape == (0,)
    (empty[0].sum() + empty[1].sum()).backward()


def test_it_holds_no_second_copy_of_the_logits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever it makes has some rows of them."""
    from types import SimpleNamespace

    from torch.utils._python_dispatch import TorchDispatchMode

    monkeypatch.setattr(nll, "CHUNK", 4 * V)
    mine, theirs = torch.randn(512, V), torch.randn(512, V)
    known = {mine.data_ptr(), theirs.data_ptr()}
    made: list[int] = []

    class Watch(TorchDispatchMode):
        def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            found = function(*args, **(kwargs or {}))
            if isinstance(found, torch.Tensor) and found.untyped_storage().data_ptr() not in known:
                made.append(found.untyped_storage().nbytes() // 4)
            return found

    context = SimpleNamespace()
    context.save_for_backward = lambda *kept: setattr(context, "saved_tensors", kept)
    with Watch():
        member = divergence._Losses
        measure = Measure("jensen_shannon", 0.5, 2.0)
        hard, soft = member.forward(context, mine, torch.arange(512) % V, measure, theirs, None, None, None)
        gradient = member.backward(context, torch.ones_like(hard), torch.ones_like(soft))[0]
    assert gradient.data_ptr() == mine.data_ptr()
    assert 0 < max(made) <= 1024 < mine.numel()
