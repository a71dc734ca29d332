"""The README's tree: one line a file, taken from the files themselves. `make readme` writes it."""

import ast
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
START, END = "<!-- tree: written by `make readme` -->", "<!-- end of the tree -->"
FOLDERS = ("src/toile", "benchmarks")
OTHERS = {
    "tests/": "mirrors src/toile, file for file",
    "docs/guide/": "for people: first steps, training, the web page, catalogues, the service, ComfyUI",
    "docs/reference/": "every public module, from its docstrings",
    "docs/data.md": "from a folder of photos to a training set",
    "docs/evaluation.md": "how to measure anybody's pictures so that the figures can be trusted",
    "docs/benchmark.md": "how good the bundled models are, and the commands that measure it",
    "docs/fidelity/": "per paper: every equation, its function and its test; every silence, how it is filled",
    "src/toile/weights/": "the bundled weights: the shared base, and each system's own parts",
    "CHANGELOG.md": "what has changed, version by version",
    "Makefile": "make demo, make test, make lint, make docs, make wheel, make weights",
    "constraints.txt": "every package of the tested environment, pinned",
}


def first_sentence(path: Path) -> str:
    """The first line of a Python file's docstring, without its full stop."""
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    if not docstring:
        raise ValueError(f"{path} needs a docstring: the README's tree takes its line from there")
    return docstring.splitlines()[0].rstrip(".")


def tree() -> str:
    """The tree between its markers."""
    lines: list[str] = []
    for folder in FOLDERS:
        lines += _folder(ROOT / folder)
    lines += [f"{name:<28}{what}" for name, what in OTHERS.items()]
    body = "\n".join(line.rstrip() for line in lines)
    return f"{START}\n```text\n{body}\n```\n{END}"


def _folder(folder: Path) -> list[str]:
    depth = len(folder.relative_to(ROOT).parts) - (2 if folder.is_relative_to(ROOT / "src") else 1)
    package = folder / "__init__.py"
    title = first_sentence(package) if package.exists() else "measured comparisons, one command each"
    name = f"{folder.relative_to(ROOT)}/" if depth == 0 else f"{'  ' * depth}{folder.name}/"
    lines = [f"{name:<28}{title}"]
    for path in sorted(folder.glob("*.py")):
        if path.name != "__init__.py":
            lines.append(f"{'  ' * (depth + 1) + path.name:<28}{first_sentence(path)}")
    for inner in sorted(path for path in folder.iterdir() if path.is_dir() and any(path.glob("*.py"))):
        lines += _folder(inner)
    return lines


def with_tree(text: str) -> str:
    """The README with the tree as it is now."""
    before, rest = text.split(START)
    return before + tree() + rest.split(END)[1]


if __name__ == "__main__":
    readme = ROOT / "README.md"
    readme.write_text(with_tree(readme.read_text(encoding="utf-8")), encoding="utf-8")
    sys.exit(0)
