from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from tests.evaluation.study.answering import answers, fill, prefer, write_answers

from toile.errors import ToileError
from toile.evaluation.study.files import read_study
from toile.evaluation.study.forms import (
    check_answer,
    check_participant,
    invalid_forms,
    read_forms,
    shown_sets,
)


def test_a_name_always_gets_the_same_form_and_another_another(study_folder: Path) -> None:
    study = read_study(study_folder)
    assert shown_sets(study, "Ann") == shown_sets(study, "Ann") != shown_sets(study, "Bob")


def test_groups_are_shown_equally_often(study_folder: Path) -> None:
    study = read_study(study_folder)
    for participant in ("Ann", "Bob", "Cid"):
        shown = shown_sets(study, participant)
        assert Counter(one.item.group for one in shown) == {0: 2, 1: 2}
        assert len({one.item.identifier for one in shown}) == 4
    assert len(shown_sets(replace(study, sets=50), "Ann")) == 6


def test_every_order_of_results_comes_as_often_as_any_other(study_folder: Path) -> None:
    study = read_study(study_folder)
    orders = Counter(
        tuple(one.item.results.index(name) for name in one.results)
        for number in range(300)
        for one in shown_sets(study, f"participant {number}")
    )
    expected = sum(orders.values()) / 6
    assert len(orders) == 6
    assert (
        sum((count - expected) ** 2 / expected for count in orders.values()) < 20.5
    )  # chi², 5 degrees, 0.001


def test_the_last_answer_counts_and_forms_know_when_they_are_done(study_folder: Path) -> None:
    fill(study_folder, "Ann", lambda shown, _: shown.results[0], leave_out=1)
    (form,) = read_forms(read_study(study_folder), study_folder)
    assert not form.complete and set(form.letters) == {0} and len(form.letters) == 15
    fill(study_folder, "Ann", lambda shown, _: shown.results[2])
    (form,) = read_forms(read_study(study_folder), study_folder)
    assert form.complete and set(form.letters) == {2}


def test_one_letter_throughout_is_invalid_but_one_method_is_not(study_folder: Path) -> None:
    fill(study_folder, "Ann", prefer(study_folder, "secret-ours"))
    fill(study_folder, "Bea", lambda shown, _: shown.results[1])
    invalid = invalid_forms(read_forms(read_study(study_folder), study_folder))
    assert invalid == {"Bea": "every answer is the same letter, B"}


def test_identical_forms_are_both_invalid(study_folder: Path) -> None:
    def by_turns(shown, question):
        return shown.results[question % 3]

    for participant in ("Ann", "Bea"):
        fill(study_folder, participant, by_turns)
    fill(study_folder, "Cid", lambda shown, question: shown.results[(question + 1) % 3])
    invalid = invalid_forms(read_forms(read_study(study_folder), study_folder))
    assert invalid == {"Ann": "identical to the form of Bea", "Bea": "identical to the form of Ann"}


def test_the_same_pictures_in_the_same_sets_are_identical_however_they_were_shuffled(
    study_folder: Path,
) -> None:
    study = read_study(study_folder)
    everything = replace(study, sets=len(study.items))
    choose = prefer(study_folder, "secret-third")
    for participant in ("Ann", "Bea"):
        write_answers(study_folder, answers(everything, participant, choose))
    forms = read_forms(everything, study_folder)
    assert forms[0].letters != forms[1].letters
    assert invalid_forms(forms).keys() == {"Ann", "Bea"}


def test_unfinished_forms_do_not_count(study_folder: Path) -> None:
    fill(study_folder, "Ann", prefer(study_folder, "secret-ours"), leave_out=1)
    assert invalid_forms(read_forms(read_study(study_folder), study_folder)) == {"Ann": "not finished"}


def test_answers_to_what_was_not_asked_are_refused(study_folder: Path) -> None:
    study = read_study(study_folder)
    good = answers(study, "Ann", lambda shown, _: shown.results[0])[0]
    assert check_answer(study, good) == good
    hidden = {item.identifier for item in study.items} - {
        shown.item.identifier for shown in shown_sets(study, "Ann")
    }
    wrong = [
        {"participant": ""},
        {"participant": "x" * 61},
        {"participant": 3},
        {"participant": "a\nb"},
        {"item": hidden.pop()},
        {"question": 4},
        {"question": True},
        {"question": "0"},
        {"choice": "000000000000"},
        {"choice": None},
    ]
    for change in wrong:
        with pytest.raises(ToileError):
            check_answer(study, {**good, **change})
    write_answers(study_folder, [good, {**good, "question": 9}])
    with pytest.raises(ToileError, match=r"answers.jsonl, line 2"):
        read_forms(study, study_folder)


def test_names_are_trimmed() -> None:
    assert check_participant("  Zoë Ångström ") == "Zoë Ångström"
