"""The models that tiny-ko is held against, on numbers worked by hand."""

import lzma
import math

import pytest

from scripts.character_model import CODE_POINTS, CharacterModel, size, xz_bits_per_byte

TEXTS = ("ab", "ab", "b")
# Bigrams ^a 2, ab 2, b$ 3, ^b 1: one seen once, two seen twice, so D = 1 / (1 + 2·2). Before a stands 1 kind of
# character, before b 2, before $ 1: D = 2 / (2 + 2·1). Below: 3 known characters and the unknown, a quarter each.
A, B, STOP, UNKNOWN = (0.5 + 1.5 / 4) / 4, (1.5 + 1.5 / 4) / 4, (0.5 + 1.5 / 4) / 4, (1.5 / 4) / 4
A_FIRST = (1.8 + 0.2 * 2 * A) / 3
B_AFTER_A = (1.8 + 0.2 * 1 * B) / 2
STOP_AFTER_B = (2.8 + 0.2 * 1 * STOP) / 3


@pytest.fixture
def model() -> CharacterModel:
    return CharacterModel(TEXTS, order=2)


def test_kneser_ney_by_hand(model: CharacterModel) -> None:
    assert model.discounts == pytest.approx([0.5, 0.2])
    assert model.probability("a", "\x02") == pytest.approx(A_FIRST)
    assert model.bits("ab") == pytest.approx(-math.log2(A_FIRST * B_AFTER_A * STOP_AFTER_B))


def test_an_unknown_character_costs_a_draw_of_all_code_points(model: CharacterModel) -> None:
    first = (0.2 * 2 * UNKNOWN) / 3
    # Nothing was seen after it: the next is drawn without a context.
    assert model.bits("가") == pytest.approx(-math.log2(first) + math.log2(CODE_POINTS) - math.log2(STOP))


@pytest.mark.parametrize("order", [1, 2, 5])
def test_probabilities_add_up_to_one_after_any_history(order: int) -> None:
    model = CharacterModel(["배우가 좋다", "배우는 좋다", "연기가 좋아요", "좋다 좋다"], order)
    for history in ("\x02" * 4, "\x02\x02배우", "연기가 ", "xyzw"):
        total = sum(model.probability(c, history) for c in [*model.known, "힣"])
        assert total == pytest.approx(1)


def test_a_longer_order_knows_repeated_text_better() -> None:
    texts = [f"{n}번째 문장은 늘 같은 말로 끝난다" for n in range(50)]
    found = [CharacterModel(texts, order).bits_per_byte(["77번째 문장은 늘 같은 말로 끝난다"]) for order in (1, 2, 5)]
    assert found == sorted(found, reverse=True)
    assert found[2] < 0.5


def test_bits_go_over_the_bytes_of_the_text_alone(model: CharacterModel) -> None:
    assert size(["가", "ab"]) == 5
    assert model.bits_per_byte(["ab", "b"]) == pytest.approx((model.bits("ab") + model.bits("b")) / 3)


def test_xz_counts_what_the_held_out_text_adds() -> None:
    trained = [f"{n * 7919 % 1000}번 문장" for n in range(400)]
    held = ["새로운 글", "또 하나"]
    lines = "".join(f"{text}\n" for text in held).encode()
    hardest = 9 | lzma.PRESET_EXTREME
    after, alone = xz_bits_per_byte(trained, held)
    assert alone == 8 * len(lzma.compress(lines, preset=hardest)) / (len(lines) - 2)
    whole = "".join(f"{text}\n" for text in trained).encode()
    added = len(lzma.compress(whole + lines, preset=hardest)) - len(lzma.compress(whole, preset=hardest))
    assert after == 8 * added / (len(lines) - 2)
    assert xz_bits_per_byte(trained, trained[:100])[0] < 0.2 * alone
