import torch
from transformers import SegformerForSemanticSegmentation

from toile.training.parser import ParserRecipe, parser_config
from toile.training.parser_network import StandingSegformer, normalised, predicted, start_lively


def test_the_batch_norm_stands_still() -> None:
    model = StandingSegformer(parser_config(ParserRecipe())).train()
    norm = model.decode_head.batch_norm
    assert model.training and not norm.training and norm.weight.requires_grad
    model(torch.rand(2, 3, 64, 48))
    assert not norm.running_mean.any() and (norm.running_var == 1).all()


def test_a_lively_start_lets_the_picture_through() -> None:
    """What is seen changes what is said from the first step on, and nothing is far likelier than the rest."""
    pictures = torch.randint(0, 256, (2, 3, 64, 48), dtype=torch.uint8)
    deviations = []
    for start in (lambda model: model, start_lively):
        torch.manual_seed(0)
        model = start(SegformerForSemanticSegmentation(parser_config(ParserRecipe())).eval())
        with torch.no_grad():
            logits = model(pixel_values=normalised(pictures)).logits
        deviations.append(float(logits.std(dim=(0, 2, 3)).mean()))
        assert float(logits.softmax(1).max()) < 0.5
    assert deviations[1] > 3 * deviations[0]


def test_pictures_are_normalised_as_published() -> None:
    white = normalised(torch.full((1, 3, 2, 2), 255, dtype=torch.uint8))
    expected = torch.tensor([(1 - 0.485) / 0.229, (1 - 0.456) / 0.224, (1 - 0.406) / 0.225])
    assert torch.allclose(white[0, :, 0, 0], expected)


def test_labels_have_the_pictures_size() -> None:
    model = SegformerForSemanticSegmentation(parser_config(ParserRecipe())).eval()
    with torch.no_grad():
        found = predicted(model, torch.zeros(1, 3, 50, 38, dtype=torch.uint8))
    assert found.shape == (1, 50, 38) and found.dtype == torch.uint8
