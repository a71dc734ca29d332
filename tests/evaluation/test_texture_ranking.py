import torch
from tests.evaluation.pictures import blurred, filled, silhouettes, textured

from toile.evaluation.doll_features import DollFeatures
from toile.evaluation.texture_ranking import flattened, texture_ranking


def small() -> DollFeatures:
    torch.manual_seed(0)
    return DollFeatures(channels=(6, 8, 12))


def test_flattening_fills_the_inside_with_its_mean() -> None:
    pictures, inside = textured(3), silhouettes(3)
    assert torch.allclose(flattened(pictures, inside), filled(pictures), atol=1e-6)
    assert torch.equal(flattened(pictures, 0 * inside), pictures)


def test_a_garment_without_a_texture_asks_for_nothing() -> None:
    plain = filled(textured(2))
    assert texture_ranking(small(), plain, silhouettes(2), torch.Generator().manual_seed(0)) == 0


def test_it_teaches_to_miss_textures_that_were_never_shown() -> None:
    model, unseen = small(), textured(8, seed=99, grain=7)

    def wrong() -> int:
        return int(
            (model.distance(filled(unseen), unseen) <= model.distance(blurred(unseen, 3), unseen)).sum()
        )

    assert wrong() > 0
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for step in range(40):
        garments = textured(4, seed=step, grain=(3, 5)[step % 2])
        loss = texture_ranking(model, garments, silhouettes(4), torch.Generator().manual_seed(step))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert wrong() == 0
