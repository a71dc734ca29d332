"""Values as CSV and JSON have them mean the same, and what is none says what to write."""

import pickle

import pytest

from toile.catalogue import values


@pytest.mark.parametrize(
    ("parse", "text", "json", "meant"),
    [
        (values.whole_number, "7", 7, 7),
        (values.whole_number, "7.0", 7.0, 7),
        (values.whole_number, "9223372036854775807", 2**63 - 1, 2**63 - 1),
        (values.number, "1.5", 1.5, 1.5),
        (values.number, "2", 2, 2.0),
        (values.truth, "Yes", True, True),
        (values.truth, "0", False, False),
        (values.size, "1024x768", [1024, 768], (1024, 768)),
        (values.size, "1024×768", [1024, 768], (1024, 768)),
        (values.box, "1, 2,3 4", [1, 2, 3, 4], (1, 2, 3, 4)),
        (values.box, "predicted", "predicted", "predicted"),
        (values.category, "Upper", "upper", "upper"),
        (values.text, "a park", "a park", "a park"),
    ],
)
def test_text_and_json_mean_the_same(parse, text, json, meant):
    assert parse(text) == meant
    assert parse(json) == meant


@pytest.mark.parametrize(
    ("parse", "value"),
    [
        (values.whole_number, "7.5"),
        (values.whole_number, True),
        (values.whole_number, "9" * 5000),
        (values.number, "nan"),
        (values.number, "inf"),
        (values.number, [1]),
        (values.truth, "perhaps"),
        (values.size, "1024"),
        (values.size, [1024, "x"]),
        (values.box, "1 2 3"),
        (values.category, "shoe"),
        (values.category, 3),
        (values.text, 3),
    ],
)
def test_what_is_no_value_is_refused(parse, value):
    with pytest.raises(ValueError, match=r"\w"):
        parse(value)


def test_parsers_can_be_sent_to_another_process():
    assert pickle.loads(pickle.dumps(values.category))("lower") == "lower"
