import multiprocessing
import os
import resource
import signal
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tests.igr.small_igr import photos, small_igr
from tests.twgtm.small_pipeline import small_pictures, small_pipeline
from torch import nn

from toile import wardrobe_store
from toile.diffusion.noise import item_generators
from toile.diffusion.photos import prepare_photos, prepare_pictures
from toile.errors import ToileError
from toile.igr.model import latent_mask
from toile.igr.pipeline import IGRPipeline
from toile.wardrobe import GarmentFeatures
from toile.wardrobe_store import WardrobeStore, stack_features, wardrobe_folder

WEIGHTS = "a" * 64
FORK = multiprocessing.get_context("fork")


def features(*kinds: str, seed: int = 0, size: int = 6) -> GarmentFeatures:
    draw = torch.Generator().manual_seed(seed)
    return GarmentFeatures(
        hidden_states={name: torch.randn(len(kinds), size, 8, generator=draw) for name in ("a", "b")},
        image_tokens=torch.randn(len(kinds), 4, 5, generator=draw),
        categories=kinds,
    )


def pictures(*colors: str, size: tuple[int, int] = (30, 40)) -> list[Image.Image]:
    return [Image.new("RGB", size, color) for color in colors]


def add(store: WardrobeStore, name: str, *kinds: str, seed: int = 0, **options) -> GarmentFeatures:
    made = features(*(kinds or ("upper",)), seed=seed)
    options = {"weights": WEIGHTS, "pictures": pictures(*["red"] * made.items)} | options
    store.add(name, made, **options)
    return made


def same(first: GarmentFeatures, second: GarmentFeatures) -> bool:
    tensors = [{**one.hidden_states, "tokens": one.image_tokens} for one in (first, second)]
    assert tensors[0].keys() == tensors[1].keys() and first.categories == second.categories
    return all(torch.equal(tensor, tensors[1][name]) for name, tensor in tensors[0].items())


@pytest.fixture
def store(tmp_path) -> WardrobeStore:
    return WardrobeStore(tmp_path / "wardrobe")


def visible(store: WardrobeStore) -> list[str]:
    """Every file but the lock."""
    return sorted(path.name for path in store.folder.iterdir() if path.name != ".lock")


def test_an_outfit_comes_back_to_the_bit(store):
    assert store.names() == []
    made = add(store, "summer", "upper", "lower", "hat", model="tiny")
    assert same(store.read("summer", WEIGHTS), made)
    assert same(GarmentFeatures.load(store.path("summer"), WEIGHTS), made)
    outfit = store.describe("summer")
    assert outfit.categories == ("upper", "lower", "hat")
    assert (outfit.system, outfit.model, outfit.dtype) == ("anydressing", "tiny", "float32")
    assert outfit.weights == WEIGHTS and outfit.size == store.path("summer").stat().st_size
    assert outfit.added.endswith("+00:00")


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_of_the_room(store, dtype):
    made = features("upper").to(dtype=dtype)
    outfit = store.add("half", made, pictures=pictures("red"), weights=WEIGHTS)
    assert same(store.read("half", WEIGHTS), made)
    assert outfit.dtype == str(dtype).removeprefix("torch.")


def test_pictures_are_kept_small(store):
    large = [Image.new("RGBA", (900, 300), (0, 0, 255, 255)), Image.new("L", (20, 30), 7)]
    store.add("two", features("upper", "lower"), pictures=large, weights=WEIGHTS)
    first, second = store.pictures("two")
    assert (first.size, first.mode, first.getpixel((9, 9))) == ((256, 85), "RGB", (0, 0, 255))
    assert (second.size, second.getpixel((9, 9))) == ((20, 30), (7, 7, 7))


def test_names_are_taken_once_unless_replaced(store):
    older, newer = add(store, "summer"), features("upper", "lower", seed=1)
    with pytest.raises(ToileError, match=r"an outfit 'summer' in .* already; choose another name"):
        add(store, "summer", seed=1)
    with pytest.raises(ToileError, match="already"):
        store.check_new("summer")
    assert same(store.read("summer", WEIGHTS), older)
    store.add("summer", newer, pictures=pictures("red", "blue"), weights=WEIGHTS, replace=True)
    assert same(store.read("summer", WEIGHTS), newer)
    assert visible(store) == ["summer.safetensors"]


@pytest.mark.parametrize("name", ["a", "Été 2024", "wedding_guest-2.b", "外套", "7"])
def test_names_that_are_files_everywhere(store, name):
    add(store, name)
    assert store.names() == [name] and store.describe(name).name == name
    store.remove(name)
    assert store.names() == []


def test_accents_are_one_sign_or_two(store):
    add(store, "e\u0301te\u0301")
    assert store.names() == ["\u00e9t\u00e9"]
    with pytest.raises(ToileError, match="already"):
        add(store, "\u00e9t\u00e9")


@pytest.mark.parametrize(
    "name", ["", " ", ".", "..", "../a", "a/b", "/a", "a\\b", ".a", "a ", "a\n", "a:b", "x" * 101, "ü" * 51]
)
def test_names_that_lead_elsewhere(store, name):
    for use in (store.describe, store.remove, store.path, store.check_new, lambda it: add(store, it)):
        with pytest.raises(ToileError, match=r"is no name for an outfit|is too long") as caught:
            use(name)
        assert "\n" not in str(caught.value)
    assert not store.folder.exists()


def test_what_is_not_there(store):
    with pytest.raises(ToileError, match="it is empty; add one with `toile wardrobe add`"):
        store.read("winter", WEIGHTS)
    add(store, "summer")
    for use in (store.describe, store.remove, store.pictures):
        with pytest.raises(ToileError, match=r"there is no outfit 'winter' in .*; it has summer"):
            use("winter")


def test_other_weights_refuse_it(store):
    add(store, "summer", model="mine", system="igr")
    with pytest.raises(ToileError) as caught:
        store.read("summer", "b" * 64)
    said = str(caught.value)
    assert "made by other weights (aaaaaaaaaaaa, igr mine float32) than these (bbbbbbbbbbbb)" in said
    assert "add its garments again" in said


@pytest.mark.parametrize("shown", [0, 1, 3])
def test_one_picture_and_one_kind_a_garment(store, shown):
    with pytest.raises(ToileError, match=f"2 garments, 2 kinds, {shown} pictures"):
        add(store, "summer", "upper", "lower", pictures=pictures(*["red"] * shown))
    with pytest.raises(ToileError, match="0 garments"):
        store.add("none", GarmentFeatures(), pictures=[], weights=WEIGHTS)
    assert not store.folder.exists()


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-50])


def one_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-30] ^= 1
    path.write_bytes(content)


def no_outfit(path: Path) -> None:
    features("upper").save(path, WEIGHTS)


def bad_picture(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content.replace(b"iVBORw0KGgo", b"AAAAAAAAAAA"))


@pytest.mark.parametrize(
    "damage", [cut_short, one_bit, no_outfit, bad_picture, lambda path: path.write_text("nothing")]
)
def test_a_damaged_file_is_named_and_nothing_else_is_lost(store, damage: Callable[[Path], object]):
    kept = add(store, "kept")
    add(store, "lost")
    damage(store.path("lost"))
    with pytest.raises(
        ToileError, match=r"is damaged, or no outfit .*toile wardrobe remove 'lost'"
    ) as caught:
        store.read("lost", WEIGHTS)
    assert str(store.path("lost")) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert store.names() == ["kept", "lost"]
    assert same(store.read("kept", WEIGHTS), kept)
    store.remove("lost")
    assert store.names() == ["kept"]


def in_processes(*tasks: Callable[[], object]) -> list[int | None]:
    """Run tasks in processes of their own at the same time, and give their exit codes."""
    started = [FORK.Process(target=task) for task in tasks]
    for process in started:
        process.start()
    for process in started:
        process.join(60)
    return [process.exitcode for process in started]


def test_two_processes_at_once_lose_nothing(store):
    def add_many(owner: int) -> None:
        for number in range(8):
            add(store, f"{owner} {number}", seed=owner)
        try:
            add(store, "both", seed=owner)
        except ToileError:
            os._exit(3)

    codes = in_processes(*(lambda owner=owner: add_many(owner) for owner in (1, 2)))
    assert sorted(codes) == [0, 3]  # one of them was told that the name is taken
    assert store.names() == sorted([f"{owner} {n}" for owner in (1, 2) for n in range(8)] + ["both"])
    for name in store.names():
        owner = 1 + codes.index(0) if name == "both" else int(name[0])
        assert same(store.read(name, WEIGHTS), features("upper", seed=owner))


def test_a_process_that_is_killed_leaves_what_was_there(store):
    older = add(store, "summer")

    def killed() -> None:
        os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)  # when all is written, and nothing renamed
        add(store, "summer", seed=1, replace=True)

    assert in_processes(killed) == [-signal.SIGKILL]
    assert same(store.read("summer", WEIGHTS), older)
    assert store.names() == ["summer"] and len(visible(store)) == 2
    add(store, "winter")  # is not kept waiting, and clears up
    assert visible(store) == ["summer.safetensors", "winter.safetensors"]


def test_an_interrupted_write_leaves_what_was_there(store, monkeypatch):
    older = add(store, "summer")

    def interrupted(_: int) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(os, "fsync", interrupted)
        add(store, "summer", seed=1, replace=True)
    assert same(store.read("summer", WEIGHTS), older)
    assert visible(store) == ["summer.safetensors"]
    store.remove("summer")  # nothing is locked


@contextmanager
def small_files(most: int):
    """Let no file of this process grow beyond some bytes, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_leaves_what_was_there(store):
    older = add(store, "summer")
    with small_files(1000), pytest.raises(ToileError, match="cannot be written"):
        add(store, "summer", seed=1, replace=True)
    assert same(store.read("summer", WEIGHTS), older)
    assert visible(store) == ["summer.safetensors"]


def test_a_writer_that_hangs_is_not_waited_for_for_ever(store, monkeypatch):
    monkeypatch.setattr(wardrobe_store, "PATIENCE", 0.1)
    add(store, "summer")
    with store._locked(), pytest.raises(ToileError, match="another process has been writing to"):
        add(store, "winter")


def test_a_folder_that_is_none(tmp_path):
    (tmp_path / "file").touch()
    store = WardrobeStore(tmp_path / "file")
    with pytest.raises(ToileError, match="cannot be read"):
        store.names()
    with pytest.raises(ToileError, match="cannot be written"):
        add(store, "summer")


def test_features_are_stacked():
    whole = features("upper", "lower", "hat")
    parts = [
        GarmentFeatures(
            hidden_states={name: tokens[[item]] for name, tokens in whole.hidden_states.items()},
            image_tokens=whole.image_tokens[[item]],
            categories=(kind,),
        )
        for item, kind in enumerate(whole.categories)
    ]
    assert same(stack_features(parts), whole)
    with pytest.raises(ToileError, match="2 garments in 2 forms make no outfit"):
        stack_features([whole, features("upper", size=7)])
    with pytest.raises(ToileError, match="0 garments"):
        stack_features([])


def test_the_sheet_shows_every_garment(store):
    colors = ["red", "lime", "blue", "yellow", "cyan"]
    kinds = ("upper", "lower", "hat", "scarf", "bag")
    store.add("five", features(*kinds), pictures=pictures(*colors), weights=WEIGHTS)
    store.add("one", features("dress"), pictures=pictures("magenta"), weights=WEIGHTS)
    sheet = store.sheet(store.names())
    found = {color for _, color in sheet.getcolors(2**16)}
    assert found >= {Image.new("RGB", (1, 1), color).getpixel((0, 0)) for color in (*colors, "magenta")}
    wide = store.sheet(["five"] * 3)
    assert wide.width < 1024 and wide.height > 3 * 200  # a row each
    with pytest.raises(ToileError, match="can be shown"):
        store.sheet([])


def test_the_users_folder(monkeypatch, tmp_path):
    home = Path("/home/ann")
    monkeypatch.setenv("HOME", str(home))
    found = {
        (platform, *given): wardrobe_store._data_folder(platform, dict([given] if given else []))
        for platform, *given in [
            ("linux",),
            ("linux", "XDG_DATA_HOME", "/data"),
            ("linux", "XDG_DATA_HOME", "relative"),
            ("darwin",),
            ("win32",),
            ("win32", "LOCALAPPDATA", "/local"),
        ]
    }
    assert list(found.values()) == [
        home / ".local/share",
        Path("/data"),
        home / ".local/share",
        home / "Library/Application Support",
        home / "AppData/Local",
        Path("/local"),
    ]
    monkeypatch.delenv("TOILE_WARDROBE", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert wardrobe_folder() in (
        tmp_path / "toile/wardrobe",
        home / "Library/Application Support/toile/wardrobe",
    )
    monkeypatch.setenv("TOILE_WARDROBE", "~/mine")
    assert WardrobeStore().folder == home / "mine"


@contextmanager
def counted(*modules: nn.Module):
    """How often modules are run."""
    passes: list[nn.Module] = []
    hooks = [module.register_forward_hook(lambda module, *_: passes.append(module)) for module in modules]
    yield passes
    for hook in hooks:
        hook.remove()


def test_igr_restores_a_stored_garment_again_without_looking_at_it(store, igr_folder):
    pipeline = IGRPipeline.from_pretrained(igr_folder)
    pipeline.set_progress_bar_config(disable=True)
    photo = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 32, 3), dtype=np.uint8))
    options = {"num_inference_steps": 2, "output_type": "latent"}
    encoders = (
        *pipeline.garment_net.modules(),  # one by one, as it stops when nothing after is needed
        pipeline.image_encoder,
        pipeline.low_level_extractor,
        pipeline.vae.encoder,
    )
    with torch.no_grad(), counted(*encoders) as passes:
        shown, masks = prepare_photos(photo, None, pipeline.check_size())
        latents = pipeline.encode_pictures(shown)
        made = pipeline.igr.extract(
            latents,
            latent_mask(masks, (latents.shape[2], latents.shape[3])),
            pipeline.encode_categories(["upper"]),
            pipeline.embed_crops(shown, masks),
            ["upper"],
        )
        weights = pipeline.igr.weights_hash()
        store.add("found", made, pictures=[photo], weights=weights, system="igr", model="tiny")
        first = pipeline(photo, generator=item_generators([1]), **options).images
    assert pipeline.garment_net.conv_in in passes and pipeline.image_encoder in passes
    with torch.no_grad(), counted(*encoders) as passes:
        wardrobe = pipeline.igr.project(store.read("found", pipeline.igr.weights_hash()))
        again = pipeline(wardrobe=wardrobe, generator=item_generators([1]), **options).images
        other = pipeline(wardrobe=wardrobe, generator=item_generators([2]), **options).images
    assert passes == []
    torch.testing.assert_close(again, first, rtol=0, atol=1e-4)
    assert not torch.allclose(other, first, atol=1e-2)
    from_file = pipeline.igr.load_wardrobe(store.path("found"))
    assert from_file.layers.keys() == wardrobe.layers.keys() and from_file.categories == ("upper",)


def test_an_igr_with_other_weights_refuses_it(store):
    model, other, batch = small_igr(0), small_igr(1), photos(1)
    names = ("person_latents", "mask", "prompt_embeds", "image_embeds")
    made = model.extract(*(batch[name] for name in names), ["lower"])
    store.add("found", made, pictures=pictures("red"), weights=model.weights_hash(), system="igr")
    assert store.read("found", model.weights_hash()).categories == ("lower",)
    with pytest.raises(ToileError, match=r"made by other weights .*igr float32"):
        store.read("found", other.weights_hash())


@torch.no_grad()
def test_twgtm_looks_at_a_stored_garment_once(store):
    pipeline = small_pipeline()
    (garment,) = small_pictures(0, (64, 32))
    encoders = pipeline.image_encoder, pipeline.semantic, pipeline.spatial
    with counted(*encoders) as passes:
        reference = pipeline.look_at(prepare_pictures(garment, pipeline.check_size()), "upper")
        made = pipeline.twgtm.extract(reference, ["upper"])
    assert passes
    weights = pipeline.twgtm.weights_hash()
    store.add("shirt", made, pictures=[garment], weights=weights, system="twgtm")
    photo, options = Image.new("RGB", (32, 64)), {"num_inference_steps": 1, "output_type": "latent"}
    region = Image.new("L", photo.size, 255)

    def tried_on(**given) -> torch.Tensor:
        drawn = pipeline.try_on(photo, garment, region, generator=item_generators([1]), **given, **options)
        return drawn.images

    with counted(*encoders) as passes:
        again = tried_on(wardrobe=pipeline.twgtm.project(store.read("shirt", weights)))
    assert passes == []
    torch.testing.assert_close(again, tried_on(), rtol=0, atol=1e-4)
