import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image
from tests.anydressing.small_anydressing import small_anydressing
from tests.cli.runs import Run, nothing_in
from tests.twgtm.small_pipeline import small_parts

from toile.anydressing.dressing import AnyDressing
from toile.cli.main import main
from toile.cli.wardrobe import add_outfit, columns
from toile.errors import ToileError
from toile.images import load_photo
from toile.wardrobe import GarmentFeatures
from toile.wardrobe_store import WardrobeStore


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    """What AnyDressing needs of a model's folder, with random weights; garments are encoded at 64×32."""
    folder, trained = tmp_path_factory.mktemp("anydressing"), small_anydressing()
    trained.garments_net.save_pretrained(folder / "garments_net")
    trained.dressing_attention.save_pretrained(folder / "dressing_attention")
    small_parts().vae.save_pretrained(folder / "vae")
    index = {"_class_name": "AnyDressingPipeline", "size": [64, 32]}
    (folder / "model_index.json").write_text(json.dumps(index))
    return folder


@pytest.fixture
def wardrobe(capfd, tmp_path) -> Callable[..., Run]:
    """Run `toile wardrobe` with the wardrobe `tmp_path / "w"`."""

    def run(command: str, *arguments: object) -> Run:
        words = ["wardrobe", command, *map(str, arguments), "--wardrobe", str(tmp_path / "w")]
        try:
            code = main(words)
        except SystemExit as exit_:
            code = exit_.code
        out, err = capfd.readouterr()
        said = [line for line in err.splitlines() if line.startswith(("toile:", "note:"))]
        return Run(code=code, out=out, said=said, errors=err)

    return run


@pytest.fixture
def store(tmp_path) -> WardrobeStore:
    """The same wardrobe."""
    return WardrobeStore(tmp_path / "w")


def put(store: WardrobeStore, name: str, *kinds: str) -> None:
    """Add an outfit that nothing encoded."""
    made = GarmentFeatures(hidden_states={"a": torch.zeros(len(kinds), 2, 2)}, categories=kinds)
    pictures = [Image.new("RGB", (30, 40), "red")] * len(kinds)
    store.add(name, made, pictures=pictures, weights="ab" * 32, model="tiny")


def test_garments_are_added_and_worn_without_a_garment_network(wardrobe, store, model, noise_file):
    up, down, scarf = (noise_file(f"{n}.png", seed=n) for n in range(3))
    options = ["--lower", down, "--upper", up, "--garment", f"hat={scarf}", "--garment", f"upper={down}"]
    added = wardrobe("add", "summer day", *options, "--model", model, "--device", "cpu")
    assert (added.code, added.out.strip(), added.said) == (0, str(store.path("summer day")), [])
    outfit = store.describe("summer day")
    assert outfit.categories == ("upper", "upper", "lower", "hat")
    assert (outfit.system, outfit.model, outfit.dtype) == ("anydressing", str(model), "float32")

    dressing = AnyDressing.from_pretrained(model)
    kept = [load_photo(path) for path in (up, down, down, scarf)]
    whole = dressing.wardrobe(upper=kept[:2], lower=kept[2], hat=kept[3])
    passes: list[str] = []
    for part in ("garments_net", "vae"):
        for module in getattr(dressing, part).modules():
            module.register_forward_hook(lambda *_, part=part: passes.append(part))
    again = dressing.project(store.read("summer day", dressing.weights_hash()))
    assert passes == []
    assert (again.rows, again.categories) == (whole.rows, whole.categories)
    assert again.layers.keys() == whole.layers.keys() != set()
    for name, layer in again.layers.items():
        torch.testing.assert_close(layer.key, whole.layers[name].key, rtol=0, atol=1e-4)
        torch.testing.assert_close(layer.value, whole.layers[name].value, rtol=0, atol=1e-4)
    dressing.wardrobe(upper=kept[0])
    assert set(passes) == {"garments_net", "vae"}  # they would have been counted


def test_other_weights_refuse_what_was_added(store, model, noise_file, tmp_path):
    add_outfit("one", {"upper": [noise_file("u.png")]}, model=str(model), device="cpu", wardrobe=store.folder)
    other = AnyDressing.from_pretrained(model)
    with torch.no_grad():
        next(other.garments_net.parameters()).add_(1)
    with pytest.raises(ToileError, match="'one' was made by other weights"):
        store.read("one", other.weights_hash())
    half = AnyDressing.from_pretrained(model, dtype=torch.float16)
    with pytest.raises(ToileError, match="float32"):
        store.read("one", half.weights_hash())


def test_a_list_of_outfits_and_one_that_is_damaged(wardrobe, store):
    empty = wardrobe("list")
    assert (empty.code, empty.out) == (0, "") and "is empty; add an outfit" in empty.said[0]
    put(store, "winter", "upper", "lower", "hat")
    put(store, "été", "dress")
    listed = wardrobe("list")
    assert (listed.code, listed.said) == (0, [])
    first, second = listed.out.splitlines()
    assert first.split()[:6] == [
        "winter",
        "upper+lower+hat",
        "anydressing",
        "tiny",
        "float32",
        "abababababab",
    ]
    assert second.startswith("été     dress            anydressing")
    store.path("winter").write_text("no outfit")
    damaged = wardrobe("list")
    assert damaged.code == 1 and damaged.out.split()[0] == "été"
    assert str(store.path("winter")) in damaged.said[0] and "toile wardrobe remove" in damaged.said[0]


def test_a_contact_sheet(wardrobe, store, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "add one" in wardrobe("show").error
    put(store, "a", "upper")
    put(store, "b", "upper", "hat")
    shown = wardrobe("show")
    assert (shown.code, shown.out.strip(), shown.said) == (0, "wardrobe.png", [])
    out = tmp_path / "sheets" / "b.png"
    some = wardrobe("show", "b", "c", "-o", out)
    assert (some.code, some.out.strip()) == (1, str(out))
    assert "there is no outfit 'c'" in some.said[0]
    with Image.open("wardrobe.png") as both, Image.open(out) as one:
        assert both.width > one.width and json.loads(one.text["toile"])["outfits"] == ["b"]
    assert "there is no outfit 'c'" in wardrobe("show", "c").error
    assert "ends in .jpg" in wardrobe("show", "-o", "w.jpg").error


def test_outfits_are_removed(wardrobe, store):
    for name in ("a", "b c", "d"):
        put(store, name, "upper")
    store.path("d").write_text("damaged")
    gone = wardrobe("remove", "b c", "nothing", "d")
    assert (gone.code, gone.out.splitlines()) == (1, ["b c", "d"])
    assert "there is no outfit 'nothing' in" in gone.said[0]
    assert store.names() == ["a"]
    assert "there is no outfit 'b c'" in wardrobe("remove", "b c").error


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["x"], "an outfit needs a garment; give --upper"),
        (["../x", "--upper", "u.png"], "'../x' is no name for an outfit"),
        (["taken", "--upper", "u.png"], "an outfit 'taken' in"),
        (["x", "--upper", "none.png"], "none.png does not exist"),
        (["x", "--garment", "u.png"], "garment 'u.png' is not understood; write KIND=PICTURE"),
        (["x", "--garment", "=u.png"], "write KIND=PICTURE"),
        (["x", "--garment", "shoe=u.png"], "shoe"),
        (["x", "--dress", "u.png"], "dress"),
        (["x", "--upper", "u.png", "--model", "nothing/there"], "nothing/there"),
        (["x", "--upper", "u.png", "--device", "toaster"], "device 'toaster'"),
        (["x", "--upper", "u.png", "--dtype", "int8"], "dtype 'int8' is unknown"),
    ],
)
def test_what_cannot_be_added_changes_nothing(
    wardrobe, store, model, noise_file, monkeypatch, arguments, message
):
    monkeypatch.chdir(noise_file("u.png").parent)
    put(store, "taken", "hat")
    before = store.path("taken").read_bytes()
    options = [] if "--model" in arguments else ["--model", model]
    options += [] if "--device" in arguments else ["--device", "cpu"]
    assert message in wardrobe("add", *arguments, *options).error
    assert store.names() == ["taken"] and store.path("taken").read_bytes() == before


def test_a_wardrobe_that_cannot_be_written(wardrobe, model, noise_file, tmp_path):
    (tmp_path / "w").touch()
    said = wardrobe("add", "x", "--upper", noise_file("u.png"), "--model", model).error
    assert "cannot be written" in said


def test_an_outfit_is_replaced(wardrobe, store, model, noise_file):
    put(store, "x", "hat")
    options = ["--upper", noise_file("u.png"), "--model", model, "--device", "cpu"]
    assert wardrobe("add", "x", *options, "--replace").code == 0
    assert store.describe("x").categories == ("upper",)


def test_a_damaged_model_adds_nothing(wardrobe, store, model, noise_file, tmp_path):
    shutil.copytree(model, tmp_path / "model")
    (tmp_path / "model" / "garments_net" / "config.json").write_text("{")
    options = ["--upper", noise_file("u.png"), "--model", tmp_path / "model", "--device", "cpu"]
    assert "cannot load garments_net" in wardrobe("add", "x", *options).error
    assert store.names() == [] and nothing_in(store.folder)


def test_columns_are_aligned():
    assert columns([("a", "bb", "c"), ("aaa", "b", "")]) == ["a    bb  c", "aaa  b"]
    assert columns([]) == []
