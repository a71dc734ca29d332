import pytest

from toile.cli.main import parse_command


@pytest.mark.parametrize(
    ("command", "metavar"),
    [
        (("restore",), "PHOTO"),
        (("takeoff",), "PERSON"),
        (("mask",), "PHOTO"),
        (("compare",), "RESULT"),
        (("benchmark",), "SYSTEM"),
        (("study", "make"), "FOLDER"),
        (("wardrobe", "remove"), "NAME"),
    ],
)
def test_what_has_to_be_given_has_no_default(command, metavar, capsys):
    with pytest.raises(SystemExit):
        parse_command([*command, "--help"])
    page = " ".join(capsys.readouterr().out.replace("│", " ").split())
    explained = page.split(" positional arguments ")[1].split(" options ")[0]
    assert f"{metavar} [{metavar}...]" in explained
    assert "(required)" in explained and "(default" not in explained
