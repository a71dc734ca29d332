"""What the README says is checked against what is there."""

import re
import shlex

import pytest
import tyro
from PIL import Image
from tests.readme_tree import FOLDERS, ROOT, tree

from toile.bundled import is_bundled, weights_folder
from toile.cli.main import parse_command

README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = ["README.md", "CONTRIBUTING.md", "docs/data.md", "docs/evaluation.md"]


def blocks(language: str, text: str = README) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


def commands(program: str) -> list[list[str]]:
    """The arguments of every call of a program in the shell blocks."""
    lines = (
        line
        for text in DOCUMENTS
        for block in blocks("bash", (ROOT / text).read_text())
        for line in block.splitlines()
    )
    split = (shlex.split(line, comments=True) for line in lines)
    return [words[1:] for words in split if words[:1] == [program]]


def test_the_tree_is_the_disk():
    assert tree() in README, "run `make readme`"


def test_every_file_of_the_package_is_in_the_tree():
    named = re.findall(r"^ +(\w+\.py) ", README, flags=re.MULTILINE)
    files = [
        path.name
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*.py")
        if path.name != "__init__.py"
    ]
    assert sorted(named) == sorted(files)


def test_the_test_files_mirror_the_package():
    """`test_plug_in.py` tests `plug_in.py`, and so does `test_plug_in_pipelines.py`, a part of its tests.

    What is tested lies in the package, beside it (`benchmarks`), or is a tool of the tests themselves.
    """
    for path in (ROOT / "tests").rglob("test_*.py"):
        words = path.stem.removeprefix("test_").split("_")
        names = ["_".join(words[: count + 1]) + ".py" for count in range(len(words))]
        folder = path.parent.relative_to(ROOT / "tests")
        exists = any(
            (ROOT / top / folder / name).exists() for name in names for top in ("src/toile", "", "tests")
        )
        documents = (
            "test_readme.py",
            "test_make.py",
            "test_fidelity.py",
            "docs/test_blocks.py",
            "docs/test_site.py",
        )
        assert exists or str(folder / path.name) in documents, f"{path} tests no file"


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_lead_somewhere(name):
    folder = (ROOT / name).parent
    targets = re.findall(r"\]\((?!https?:)([^)#]+)\)", (ROOT / name).read_text())
    for target in targets:
        assert (folder / target).exists(), target


APART = ("train", "data")
"""Commands that parse their own arguments."""


@pytest.mark.parametrize("words", [row for row in commands("toile") if row[0] not in APART], ids=" ".join)
def test_every_command_is_one(words):
    assert parse_command(words)


@pytest.mark.parametrize("words", [row for row in commands("toile") if row[0] == "data"], ids=" ".join)
def test_every_command_about_data_is_one(words):
    from toile.cli.data import Command as DataCommand

    if words[1] == "cache":
        from toile.cli.data_cache import check_encodes

        check_encodes(words[2])
    else:
        config = (tyro.conf.OmitSubcommandPrefixes, tyro.conf.OmitArgPrefixes)
        assert tyro.cli(DataCommand, args=words[1:], config=config)


def test_every_training_is_one():
    from toile.training.registry import TRAININGS

    named = [words[1] for words in commands("toile") if words[0] == "train" and len(words) > 1]
    assert named
    assert set(named) <= set(TRAININGS)


def test_every_make_target_is_one():
    makefile = (ROOT / "Makefile").read_text()
    targets = [words[0] for words in commands("make")] + re.findall(r"`make (\w+)", README)
    assert {"demo", "test", "weights"} <= set(targets)
    for target in targets:
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target


def test_every_package_is_pinned_exactly():
    import tomllib

    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]+==[A-Za-z0-9_.]+", line) for line in lines)
    pinned = {re.sub(r"[-_.]+", "-", line.split("==")[0].lower()) for line in lines}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wanted = project["dependencies"] + [
        name for extra in ("app", "serve", "docs", "dev") for name in extras[extra]
    ]
    names = {re.match(r"[A-Za-z0-9-]+", requirement)[0].lower() for requirement in wanted}
    assert names - {"toile"} <= pinned


@pytest.mark.skipif(not is_bundled("anydressing"), reason="the bundled weights have not been trained yet")
def test_the_plug_in_example_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("shirt.png", "jeans.png"):
        Image.new("RGB", (192, 256), "teal").save(name)
    base = str(weights_folder() / "base")
    example = blocks("python")[0].replace("path/to/the/base/or/a/fine-tuned/one", base)
    namespace: dict[str, object] = {}
    exec(
        example.replace("cross_attention_kwargs=", "num_inference_steps=2, cross_attention_kwargs="),
        namespace,
    )
    assert isinstance(namespace["picture"], Image.Image)


@pytest.mark.skipif(not is_bundled("igr"), reason="the bundled weights have not been trained yet")
def test_the_python_example_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (192, 256), "teal").save("photo.jpg")
    Image.new("L", (192, 256), 255).save("mask.png")
    example = blocks("python")[1]
    namespace: dict[str, object] = {}
    exec(example.replace("range(4)", "range(1)"), namespace)
    assert Image.open("garment.png").size == (192, 256)
    assert namespace["tries"][0].size == (192, 256)
