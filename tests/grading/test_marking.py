"""Marks: the files that people gave them in, merged, and what they change in a result."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from handson.core.errors import InvalidInput
from handson.grading import Learner, Result
from handson.grading.answers import fingerprint_texts
from handson.grading.marking import Marks, apply_marks, read_marks
from handson.grading.notebooks import MARKED
from handson.grading.submission import make_empty_result

HEAD = "learner,answers,why-network,why-zones,why-cluster,why-registry,architecture"
WHOLE = {item.grade_id: 1.5 for item in MARKED}


def table(
    folder: Path, *rows: str, head: str = HEAD, encoding: str = "utf-8-sig", name: str = "marks.csv"
) -> Path:
    path = folder / name
    path.write_bytes("\r\n".join((head, *rows)).encode(encoding))
    return path


def give(values: Mapping[str, object]) -> dict[str, dict[Any, Path]]:
    """Return what one file of marks gives."""
    return {column: {value: Path("a.csv")} for column, value in values.items()}


def apply(marks: Marks, result: Result) -> Result:
    """Return the only result of a class with its marks."""
    (marked,), _ = apply_marks([result], marks)
    return marked


def empty(learner: str = "s01") -> Result:
    """Return a result whose only check with points is the network's."""
    result = make_empty_result(Learner(learner), [])
    first, *others = result.checks
    return replace(result, checks=(replace(first, status="passed", points=30), *others))


def test_marks_are_given_to_their_learner_and_those_for_other_texts_are_told() -> None:
    result, partly = empty("=2"), {"why-zones": 2.0}
    for prints, marks, total, codes in (
        ([], WHOLE, 37.5, []),
        ([fingerprint_texts(result)], partly, None, []),
        ([fingerprint_texts(result), "t0"], partly, None, ["marks-stale"]),
    ):
        given = give(marks) | {"answers": dict.fromkeys(prints, Path())}
        marked = apply(Marks({"'=2": given}), result)
        assert (marked.total, marked.marks) == (total, [*marks.values()])
        assert [each.code for each in marked.findings] == codes
    assert apply_marks([result], Marks({"=2": give(WHOLE)})) == ((result,), ["=2"])
    free = tuple(replace(each, possible=0) for each in result.written)
    assert replace(result, written=free).total == 30  # nothing to mark


def test_a_ruling_counts_in_the_place_of_a_checks_points_which_stay() -> None:
    given = {
        **{**WHOLE, "network": 12.5, "cluster": 0, "comment": "全体"},
        **{"network-reason": "数えた", "cluster-reason": "写した", "why-zones-comment": "よい"},
    }
    marked = apply(Marks({"s01": give(given)}), empty())
    network, cluster, *others = marked.checks
    assert network.to_json()["ruling"] == {"points": 12.5, "reason": "数えた"}
    assert (network.points, network.counted, cluster.counted) == (30, 12.5, 0)
    assert {each.to_json()["ruling"] for each in others} == {None}
    assert (marked.points, marked.counted, marked.total) == (30, 12.5, 20)
    assert [each.to_json()["comment"] for each in marked.written] == ["", "よい", "", "", ""]
    assert (marked.comment, marked.to_json()["comment"]) == ("全体", "全体")


def test_marks_are_read_as_a_spreadsheet_writes_them(tmp_path: Path) -> None:
    head = " learner;answers;why-zones;architecture;why-zones-comment;image;image-reason;comment"
    rows = (
        's01; t1 ;"3,5";;"\'=よい; ""次"" へ\r\n続き";7,5;口頭で;',
        ";;4;",
        "'=2;;;0;'quoted';;;'-",
        "s03;t1",
    )
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "cp932"):
        marks = read_marks([table(tmp_path, *rows, head=head, encoding=encoding)])
        assert marks.notices == ()
        read = {
            learner: {column: [*values] for column, values in given.items()}
            for learner, given in marks.learners.items()
        }
        assert read == {
            "s01": {
                **{"why-zones": [3.5], "image": [7.5], "image-reason": ["口頭で"]},
                **{"why-zones-comment": ['=よい; "次" へ\r\n続き'], "answers": ["t1"]},
            },
            "'=2": {"architecture": [0], "why-zones-comment": ["'quoted'"], "comment": ["-"]},
            "s03": {},
        }


def test_what_is_no_mark_is_refused_and_a_column_that_is_not_used_is_told(tmp_path: Path) -> None:
    wrong = {(HEAD, f"s01,,{value}"): f"「{value}」" for value in ("4.5", "-0.5", "nan", "good")}
    wrong |= {(HEAD, "s01,,4\r\ns01,,3"): "s01"}
    heads = ("learner,points", "name,why-zones", "")
    wrong |= {(head, "s01,4"): r"marks\.csv.*列" for head in heads}
    ruled = "learner,network,network-reason"
    wrong |= {(ruled, f"s01,{row}"): "理由のどちらか" for row in ("5,", ",because")}
    wrong |= {(ruled, "s01,30.5,because"): "30"}
    for (head, row), said in wrong.items():
        with pytest.raises(InvalidInput, match=said):
            read_marks([table(tmp_path, row, head=head)])
    read = read_marks([table(tmp_path, "s01,A,,4", head="learner,氏名,,why-zones,cluster-comment")])
    assert read.notices == (
        f"採点の記録 {tmp_path / 'marks.csv'} で、使わなかった列: 氏名, cluster-comment",
    )


def test_two_markers_are_merged_and_where_they_differ_nothing_is_decided(tmp_path: Path) -> None:
    head = "learner,answers,why-network,why-zones,network,network-reason,comment"
    first = table(tmp_path, "s01,t1,4,3,20,a,x", "s02,t1,1,,,,", head=head, name="a.csv")
    other = table(
        tmp_path, "s01,t2,4,2.5,20,b,x", "s03,,2,,,,", "s04,t4,,,,,x", head=head, name="b.csv"
    )
    marks = read_marks([first, other])
    given = marks.learners
    assert {column: [*values] for column, values in given["s01"].items()} == {
        **{"why-network": [4], "why-zones": [3, 2.5], "network": [20]},
        **{"network-reason": ["a", "b"], "comment": ["x"], "answers": ["t1", "t2"]},
    }
    assert [given[who] for who in ("s02", "s03", "s04")] == [
        *({"why-network": {1: first}, "answers": {"t1": first}}, {"why-network": {2: other}}),
        {"comment": {"x": other}, "answers": {"t4": other}},
    ]
    marked = apply(marks, empty())
    assert [each.mark for each in marked.written] == [4, None, None, None, None]
    network = marked.checks[0]
    assert (network.mark, network.comment, marked.comment) == (20, "a\nb", "x")
    finding, stale = marked.findings
    assert (finding.code, finding.severity, stale.code) == (
        *("marks-conflict", "warning"),
        "marks-stale",
    )
    assert finding.values == {"item": "why-zones", "marks": f"{first}: 3, {other}: 2.5"}
    disputed = give(WHOLE) | {"network": {20: first, 30: other}}
    assert apply(Marks({"s01": disputed}), empty()).total is None


def test_numbers_get_back_the_zeros_that_a_spreadsheet_dropped_unless_somebody_has_them() -> None:
    marks = Marks({who: give({"comment": who}) for who in ("12", "7", "1", "01", "0")})
    marked, strangers = apply_marks([empty(who) for who in ("0012", "007", "7", "01")], marks)
    assert [each.comment for each in marked] == ["12", "", "7", "01"]
    assert strangers == ["0", "1"]
