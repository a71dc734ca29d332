from PIL import Image

from toile.app.examples import FIRST_SEED, draw_examples
from toile.cli.demo import FIRST_UNSEEN


def test_examples_are_dolls_that_no_training_has_seen(tmp_path):
    examples = draw_examples(tmp_path, 3)
    assert FIRST_SEED == FIRST_UNSEEN
    assert [example.category for example in examples] == ["upper", "lower", "dress"]
    for example in examples:
        assert example.doll.seed >= FIRST_UNSEEN
        assert example.category in example.garments
        assert example.scene
        for file in (example.person, example.other_person, example.other_garment):
            assert Image.open(file).size == (384, 512)
        assert example.other_person != example.person
