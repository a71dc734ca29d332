import pytest
from tests.tasks.pictures import difference

from toile.errors import ToileError
from toile.tasks.drawing import Drawing
from toile.tasks.dress import DressRequest

DRAWING = Drawing(steps=1, guidance=3.0)


def test_outfits_of_different_sizes_in_one_batch(make_atelier, noise):
    atelier = make_atelier(keep=8)
    outfits = [{"upper": [noise(1)]}, {"upper": [noise(1), noise(2)], "lower": [noise(3)]}]
    requests = [
        DressRequest(garments=worn, prompt=prompt, seed=seed, drawing=DRAWING)
        for seed, (worn, prompt) in enumerate(zip(outfits, ("a man", "a woman"), strict=True))
    ]
    together = atelier.run(requests)
    assert atelier.encodings == 3  # the shirt of both once
    for request, result in zip(requests, together, strict=True):
        (alone,) = atelier.run([request])
        assert difference(alone.main, result.main) <= 1
    assert together[1].metadata["kinds"] == ["upper", "upper", "lower"]
    (other,) = atelier.run([DressRequest(garments=outfits[1], prompt="a man", drawing=DRAWING)])
    assert difference(other.main, together[0].main) > 1


def test_an_unknown_kind_concerns_one_request_alone(atelier, noise):
    worn = [{"shoe": [noise()]}, {"upper": [noise()]}]
    bad, good = atelier.run([DressRequest(garments=g, prompt="a man", drawing=DRAWING) for g in worn])
    assert isinstance(bad, ToileError) and "'shoe' is unknown" in str(bad)
    assert list(good.pictures) == ["dressed"]


def test_a_kept_outfit(make_atelier, noise, tmp_path):
    from toile.anydressing.outfits import Outfits

    atelier = make_atelier(wardrobe=tmp_path / "w")
    dressing = atelier.pipeline("anydressing").dressing
    features = dressing.encode(Outfits.of({"upper": noise(1)}))
    atelier.wardrobe.add(
        "sunday",
        features,
        pictures=[noise(1)],
        weights=dressing.weights_hash(),
        system="anydressing",
        model="m",
    )
    kept, fresh, missing = atelier.run(
        [
            DressRequest(wear="sunday", prompt="a man", drawing=DRAWING),
            DressRequest(garments={"upper": [noise(1)]}, prompt="a man", drawing=DRAWING),
            DressRequest(wear="monday", prompt="a man", drawing=DRAWING),
        ]
    )
    assert difference(kept.main, fresh.main) <= 1 and kept.metadata["wear"] == "sunday"
    assert isinstance(missing, ToileError) and "no outfit 'monday'" in str(missing)


def test_bad_settings(noise):
    for change, message in [
        ({"prompt": " "}, "prompt is empty"),
        ({"scale": -1.0}, "scale is -1"),
        ({"garments": {}}, "nothing to wear"),
        ({"garments": {"upper": []}}, "nothing to wear"),
    ]:
        with pytest.raises(ToileError, match=message):
            DressRequest(**({"garments": {"upper": [noise()]}, "prompt": "a man"} | change)).check()
    worn = {"garments": {"upper": [noise()]}, "prompt": "a man"}
    assert DressRequest(**worn).group != DressRequest(**worn, scale=0.5).group
