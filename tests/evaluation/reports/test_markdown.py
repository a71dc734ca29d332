from dataclasses import replace

from toile.evaluation.reports.markdown import escape, to_markdown


def test_a_row_for_each_system_with_marks_and_intervals(three) -> None:
    lines = [line for line in to_markdown(three).splitlines() if line.startswith("|")]
    assert lines[0] == "| method | similarity ↑ | L1 × 255 ↓ | FD-dolls ↓ |"
    assert len(lines) == 5 and len({line.count("|") for line in lines}) == 1
    assert "sharp & quick" in lines[2] and lines[2].count("**") == 6 and "[5.40, 6.60\\]" in lines[2]
    assert "blurred\\_\\<b\\>" in lines[3] and lines[3].count("<ins>") == 3
    assert "**" not in lines[4] and "<ins>" not in lines[4]


def test_intervals_can_be_left_out(three) -> None:
    assert "\\[" not in to_markdown(three, intervals=False).split("In brackets")[0]


def test_what_is_not_the_benchmark_has_a_dagger_that_is_explained(three) -> None:
    text = to_markdown([replace(three[0], conforming=False), three[1]])
    assert "sharp & quick † |" in text and "† Not the benchmark" in text
    assert "†" not in to_markdown(three)


def test_no_name_breaks_the_table() -> None:
    assert escape("a|b\n*c*") == "a\\|b \\*c\\*"
