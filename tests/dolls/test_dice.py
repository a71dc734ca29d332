import numpy as np

from toile.dolls.dice import Dice


def test_streams_repeat_and_differ():
    def row(seed, *names):
        dice = Dice(seed, *names)
        return [dice.uniform() for _ in range(4)]

    assert row(1, "pose") == row(1, "pose")
    rows = [row(1, "pose"), row(2, "pose"), row(1, "look"), row(1, "pose", "look")]
    assert len({tuple(numbers) for numbers in rows}) == 4


def test_weights_are_followed():
    dice = Dice(0, "weights")
    found = [dice.weighted({"often": 3.0, "seldom": 1.0, "never": 0.0}) for _ in range(2000)]
    assert 0.70 < found.count("often") / 2000 < 0.80
    assert "never" not in found


def test_ranges():
    dice = Dice(0, "ranges")
    assert {dice.integer(2, 5) for _ in range(100)} == {2, 3, 4}
    assert {dice.sign() for _ in range(50)} == {-1.0, 1.0}
    assert np.abs(dice.array(100)).max() <= 1
