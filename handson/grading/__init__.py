"""Grading a class: submissions in, marks and reasons out, and what a person has to look at.

    paths ──▶ sources ──▶ submission ─────────────────────────────────────▶ classroom ──▶ output
              (export_    archives   bytes of folders and zips, in limits   (several      table
              names,      notebooks  bytes → notebooks, of any editor        processes)   JSON
              roster,     claims     evidence records, the journal          copies        CSV
              tables)     identity   whose it is: export, roster, evidence  identity      report
                          marks      points and doubts: checks.derive                     HTML
                                     over what was observed; digest,
                                     chain, target, time
                          tokens     proofs that AWS signed
                          answers    what a person marks; missing cells
                          doubts     what honest work does not show
                          marking    the points, comments and rulings of people

`grade_class` is that line.  Each submission becomes one `Result` by itself, so that a damaged file
costs at most itself; `copies` and `identity` then compare the class.  A `Finding` about a
submission has a code, a severity, and a sentence and a remedy in either language.

Nothing of a submission is executed, unpickled or unpacked to disk, and no verdict in it is read:
the checks that the notebooks use derive the facts again, by the exercise that the course gives the
learner and not by the one that a record names.  A check's points are given whole or not at all, or
by fact where the course says so (`marks` says by which evidence), and never withheld without a
finding that says why.  People mark the answers and the diagram: `report` is the page in which they
do so, `marking` reads what they gave; `output` counts and averages; `feedback` is a page for each
learner, with nothing of the others.  This wing loads neither boto3 nor docker, nbformat or a
kernel.

`judge_folders` answers for one check in the same way, for a notebook that nbgrader executes.
`grade_files` and `read_answers` show learners, before they hand in, what grading will read.

This module names what notebooks and the other wings use; the modules of what goes out (`output`,
`gradebook`, `report`, `feedback`) and of people's marks (`marking`) name theirs.

docs/evidence.md says what such evidence can prove.
"""

from handson.grading.classroom import Grades, grade_class
from handson.grading.findings import CheckMark, Finding, Result, Written
from handson.grading.marks import Requirements
from handson.grading.roster import Learner, Roster, read_account, read_roster
from handson.grading.submission import grade_files, judge_folders, read_answers

__all__ = [
    "CheckMark",
    "Finding",
    "Grades",
    "Learner",
    "Requirements",
    "Result",
    "Roster",
    "Written",
    "grade_class",
    "grade_files",
    "judge_folders",
    "read_account",
    "read_answers",
    "read_roster",
]
