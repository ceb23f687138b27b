"""The nets that widgets run: their stored weights, and how a drawn digit is centered."""

import torch

from dlbook.attention import tensors_of
from dlbook.cnn import convolutional_network
from dlbook.runs import attention
from dlbook.runs.live import centered, decoded, encoded


def test_stored_weights_come_back_within_half_a_step_of_their_scale():
    model = convolutional_network(torch.Generator().manual_seed(0))
    back, mean, deviation = decoded(
        encoded(model, torch.tensor(33.5), torch.tensor(78.0))
    )
    assert (mean, deviation) == (33.5, 78.0)
    for layer, stored in zip(model, back, strict=True):
        if hasattr(layer, "weight"):
            weights = layer.weight.detach().flatten(1)
            half_steps = weights.abs().amax(dim=1, keepdim=True) / 254
            distance = (stored.weight.detach().flatten(1) - weights).abs()
            assert (distance <= half_steps * 1.001).all()
            assert torch.equal(stored.bias, layer.bias)


def test_a_digit_is_20_pixels_long_and_its_center_of_mass_in_the_middle():
    image = torch.zeros(40, 40)
    image[3:13, 30:34] = 1.0  # 10 x 4 in a corner becomes 20 x 8 in the middle
    expected = torch.zeros(28, 28, dtype=torch.float64)
    expected[4:24, 10:18] = 255.0
    assert torch.allclose(centered(image), expected)


def test_a_heavy_foot_moves_a_digit_up():
    image = torch.ones(20, 20)
    image[:10] = 0.1
    rows = centered(image).sum(1).nonzero()[:, 0]
    assert (rows[0].item(), rows[-1].item()) == (0, 19), "row 14 is its center of mass"


def test_stored_transformers_come_back_within_half_a_step_of_their_scale():
    network, _ = attention.started(3, torch.device("cpu"))
    back = attention.decoded(attention.encoded(network))
    for part, stored in zip(tensors_of(network), tensors_of(back), strict=True):
        if part.ndim == 2:
            half_steps = part.abs().amax(dim=1, keepdim=True) / 254
            assert ((stored - part).abs() <= half_steps * 1.001).all()
            assert not stored.equal(part)
        else:
            torch.testing.assert_close(stored, part, rtol=1e-6, atol=0)


def test_the_transformer_of_the_page_reverses():
    network = attention.decoded(attention.WEIGHTS.read_text(encoding="utf-8"))
    assert not attention.mistakes(network, attention.reverse).any()
    blind = network._replace(places=torch.zeros_like(network.places))
    assert attention.share_of(attention.mistakes(blind, attention.reverse)) > 60
