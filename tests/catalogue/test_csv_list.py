"""A CSV read at random says what `csv` says when it reads it from the begin."""

import csv
import io
import pickle
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from toile.catalogue.columns import columns_of
from toile.catalogue.csv_list import CsvList
from toile.catalogue.item import BadItem, Item
from toile.errors import ToileError

RESTORE, DRESS = columns_of("restore"), columns_of("dress")


def opened(folder, content, columns=RESTORE):
    path = folder / "list.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return CsvList(path, columns)


def everything(found):
    return list(found.read(0, len(found)))


CELLS = st.text(alphabet=st.sampled_from("ab,;\"'\n\r\t é漢😀\u2028\x85\ufeff."), max_size=8)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
@given(
    rows=st.lists(st.tuples(CELLS, CELLS), max_size=8),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    mark=st.booleans(),
    last_end=st.booleans(),
)
def test_it_agrees_with_the_library_on_any_quotes_and_line_ends(tmp_path, rows, end, quoting, mark, last_end):
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator=end, quoting=quoting)
    writer.writerows([["upper", "prompt"], *rows])
    text = file.getvalue() if last_end else file.getvalue().removesuffix(end)
    path = tmp_path / "list.csv"
    path.write_bytes(b"\xef\xbb\xbf" * mark + text.encode())

    with path.open(encoding="utf-8-sig", newline="") as again:
        wanted = [says(row) for row in csv.DictReader(again, strict=True) if any(row.values())]
    found = CsvList(path, DRESS)
    assert [record.row for record in found._numbered(0, len(found))] == wanted
    for number, row in enumerate(wanted):  # each by itself, so that every place is used
        assert next(found._numbered(number, number + 1)).row == row


def says(row):
    """What a row of `csv.DictReader` says; None when it has more values than the first row."""
    if any(row.pop(None, [])):
        return None
    texts = {column: (value or "").strip() for column, value in row.items()}
    return {column: value for column, value in texts.items() if value}


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_other_delimiters_are_found(tmp_path, delimiter):
    (item,) = everything(opened(tmp_path, f"photo{delimiter}seed\na,b.jpg{delimiter}3\n"))
    assert item.settings == {"seed": 3}
    assert item.files["photo"].name == "a,b.jpg"


def test_lines_without_values_are_no_items(tmp_path):
    found = opened(tmp_path, "photo,seed\n\na.jpg,1\n,\n\r\nb.jpg,2\n,\n")
    assert [item.name for item in everything(found)] == ["a", "b"]


def test_a_bad_line_is_named_and_the_others_are_read(tmp_path):
    content = b'photo,seed\na.jpg,1\nb.jpg,x\n"c\n.jpg",3\nd\xff.jpg,4\ne.jpg,5,6\n"f" x,7\ng.jpg,8\nh.jpg\n'
    found = everything(opened(tmp_path, content))
    good = {item.number: item.name for item in found if isinstance(item, Item)}
    bad = {item.number: item.error for item in found if isinstance(item, BadItem)}
    assert good == {0: "a", 6: "g", 7: "h"}
    assert "list.csv, line 3: seed is 'x'; write a whole number" in bad[1]
    assert "line 4: the file 'c\\n.jpg' holds a control character" in bad[2]
    assert "line 6: it is no UTF-8" in bad[3]
    assert "line 7: it has 3 values for 2 columns" in bad[4]
    assert "line 8: it is no CSV" in bad[5]
    assert all("\n" not in error for error in bad.values())


@pytest.mark.parametrize("end", ["", "\n" + "b.jpg,2\n" * 20_000])
def test_a_quote_that_is_never_closed_is_refused_with_its_line(tmp_path, end):
    with pytest.raises(ToileError, match="line 3, begins a row that does not end"):
        opened(tmp_path, f'photo,seed\na.jpg,1\n"b.jpg,2{end}')


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"photo,sead\n", "line 1, has the column 'sead'"),
        (b"seed\n3\n", "has no column photo; restore needs the column photo"),
        ("photo,seed\n".encode("utf-16"), "no UTF-8"),
        (b'"photo"x,seed\n', "line 1: it is no CSV"),
    ],
)
def test_a_header_that_says_nothing_useful_is_refused(tmp_path, content, said):
    with pytest.raises(ToileError, match=said):
        opened(tmp_path, content)


def test_two_lines_of_one_name_are_named(tmp_path):
    with pytest.raises(
        ToileError, match=r"lines 2 and 4, would both be written to one file.*'a'.*column name"
    ):
        opened(tmp_path, "photo\nx/a.jpg\nx/b.jpg\ny/a.png\n")
    with pytest.raises(ToileError, match="'A' and 'a'"):
        opened(tmp_path, "photo,name\n1.jpg,A\n2.jpg,a\n")
    named = opened(tmp_path, "photo,name\nx/a.jpg,1\nx/b.jpg,2\ny/a.png,3\n")
    assert [item.name for item in everything(named)] == ["1", "2", "3"]


def test_hashes_that_are_equal_by_chance_are_no_clash(tmp_path, monkeypatch):
    from toile.catalogue.names import NameCheck

    monkeypatch.setattr(NameCheck, "add", lambda self, name: self.hashes.append(7))
    assert len(opened(tmp_path, "photo\na.jpg\nb.jpg\nc.jpg\n")) == 3


def test_a_list_that_has_changed_is_refused(tmp_path):
    found = opened(tmp_path, "photo\na.jpg\nb.jpg\n")
    (tmp_path / "list.csv").write_text("photo\nlonger.jpg\nb.jpg\n")
    with pytest.raises(ToileError, match="has changed since it was opened"):
        everything(found)


def test_the_fingerprint_is_that_of_content_and_task(tmp_path):
    one = opened(tmp_path, "photo\na.jpg\n")
    (tmp_path / "else").mkdir()
    assert opened(tmp_path / "else", "photo\na.jpg\n").fingerprint == one.fingerprint
    assert opened(tmp_path, "photo\nb.jpg\n").fingerprint != one.fingerprint
    assert opened(tmp_path, "photo\na.jpg\n", columns_of("takeoff")).fingerprint != one.fingerprint


def test_it_can_be_sent_to_another_process(tmp_path):
    found = opened(tmp_path, "photo,category\na.jpg,upper\nb.jpg,lower\n")
    assert everything(pickle.loads(pickle.dumps(found))) == everything(found)


def test_reading_beyond_the_end_gives_what_is_there(tmp_path):
    found = opened(tmp_path, "photo\na.jpg\nb.jpg\n")
    assert [item.number for item in found.read(1, 99)] == [1]
    assert list(found.read(2, 5)) == list(found.read(1, 1)) == []


MEASURE = """
import resource, sys
from toile.catalogue.lists import open_list
small = open_list(sys.argv[1], "restore")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
found = open_list(sys.argv[2], "restore")
(last,) = found.read(len(found) - 1, len(found))
print(len(found), last.settings["seed"], resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_a_long_list_takes_a_few_bytes_a_line(tmp_path):
    lines = 200_000
    for name, count in (("small.csv", 3_000), ("long.csv", lines)):
        with (tmp_path / name).open("w") as file:
            file.write("photo,category,seed\n")
            file.writelines(f"photos/a-long-name-{n:09d}.jpg,upper,{n}\n" for n in range(count))
    command = [sys.executable, "-c", MEASURE, str(tmp_path / "small.csv"), str(tmp_path / "long.csv")]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    count, seed, kilobytes = map(int, said.split())
    assert (count, seed) == (lines, lines - 1)
    assert (
        kilobytes * 1024 < 64 * lines
    )  # the highest ever, where names are sorted; a list of lines takes 300
