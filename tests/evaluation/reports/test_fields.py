from toile.evaluation.reports.fields import flattened, spoken


def test_named_entries_are_told_apart_by_their_names() -> None:
    content = {
        "a": {"b": 1, "c": [3, 4]},
        "metrics": [{"name": "ssim", "scale": 1.0}, {"name": "kid", "scale": 2.0}],
    }
    assert flattened(content) == {
        "a.b": 1,
        "a.c": [3, 4],
        "metrics.ssim.scale": 1.0,
        "metrics.kid.scale": 2.0,
    }


def test_values_are_said_as_a_reader_wants_them() -> None:
    said = [spoken(value) for value in ([256, 192], True, None, ["upper", "lower"], 1000.0, "x")]
    assert said == ["256×192", "yes", "–", "upper, lower", "1000", "x"]
