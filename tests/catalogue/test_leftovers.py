from toile.catalogue.leftovers import tidy


def test_what_killed_runs_left_goes_and_the_rest_stays(tmp_path):
    stay = ["shard-00000000.tar", "manifest.jsonl", "shard-mine.tar"]
    for name in (*stay, "shard-00000001.tar", ".manifest.jsonl.77.part"):
        (tmp_path / name).touch()
    (tmp_path / ".unfinished" / "00000003.77").mkdir(parents=True)
    tidy(tmp_path, lambda block: block == 0)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(stay)
