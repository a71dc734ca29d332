"""JSON lines read at random say what they say one by one."""

import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from toile.catalogue.columns import columns_of
from toile.catalogue.item import BadItem, Item
from toile.catalogue.json_lines import JsonLines


def opened(folder, content, task="restore"):
    path = folder / "list.jsonl"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return JsonLines(path, columns_of(task))


def everything(found):
    return list(found.read(0, len(found)))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=100)
@given(
    prompts=st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=20), max_size=6),
    end=st.sampled_from(["\n", "\r\n", "\n\n", " \n"]),
    mark=st.booleans(),
    escaped=st.booleans(),
)
def test_each_line_is_found_again(tmp_path, prompts, end, mark, escaped):
    rows = [{"name": f"n{n}", "upper": "a.png", "prompt": text} for n, text in enumerate(prompts)]
    text = "".join(json.dumps(row, ensure_ascii=escaped) + end for row in rows)
    found = opened(tmp_path, b"\xef\xbb\xbf" * mark + text.encode(), "dress")
    assert len(found) == len(rows)
    for number in reversed(range(len(rows))):
        (item,) = found.read(number, number + 1)
        assert (item.number, item.name) == (number, f"n{number}")
        assert item.settings.get("prompt", "") == prompts[number].strip()


def test_garments_may_be_an_object_with_several_of_a_kind(tmp_path):
    row = {"prompt": "a park", "garments": {"upper": ["a.png", "b.png"], "scarf": "c.png"}}
    (item,) = everything(opened(tmp_path, json.dumps(row), "dress"))
    assert set(item.files) == {"garments.upper", "garments.upper.2", "garments.scarf"}


def test_a_bad_line_is_named_and_the_others_are_read(tmp_path):
    lines = [
        b'{"photo": "a.jpg"}',
        b'{"photo": ',
        b"[1]",
        b'{"photo": "b\xff.jpg"}',
        b'{"photo": "c.jpg", "sead": 3}',
        b'{"photo": "' + b"x" * 250_000 + b'"}',
        b"",
        b'{"photo": "d.jpg", "category": null}',
        b"[" * 50_000,
    ]
    found = everything(opened(tmp_path, b"\n".join(lines)))
    bad = {item.number: item.error for item in found if isinstance(item, BadItem)}
    assert [item.name for item in found if isinstance(item, Item)] == ["a", "d"]
    assert "line 2: it is no JSON" in bad[1]
    assert "line 3: it is no JSON object but list" in bad[2]
    assert "line 4: it is no UTF-8" in bad[3]
    assert "line 5: it has the column 'sead'" in bad[4]
    assert "line 6: it is longer than 100,000 bytes" in bad[5]
    assert "line 9" in bad[7]
