"""Grading a class: submissions in, marks, reasons and what needs a human eye out.

    paths ──▶ sources ──▶ submission ─────────────────────────────────────▶ classroom ──▶ output
              (names,     trees      bytes of folders and zips, in limits   (two          table
              roster)     reading    bytes → notebooks, of any editor        processes,   JSON
                          claims     evidence records, the journal           one file     CSV
                          judging    checks.derive over what was observed    of results)  report
                          integrity  digest, chain, target, time, name       crossing     HTML
                          cells      what is missing, repeated, moved        alike
                          answers    what a person has to mark               marks

`grade` is that line.  Each submission becomes one `Result` by itself, so whatever is wrong with a
file costs at most that file; `crossing` and `alike` then compare the class.  What there is to say
about a submission is a `Finding`: a code, a severity, a sentence and a remedy in either language.

Nothing of a submission is executed, unpickled or unpacked to disk, and no verdict in it is read:
facts are derived again by the checks that the notebooks use.  A check's points are given whole or
not at all (`judging` says by which evidence), and never withheld without a finding that says why.
The four answers and the diagram are marked by people: `report` is the page in which they do so,
`marks` what they gave.  This room loads neither boto3 nor docker, nbformat or a kernel.

`judge_folders` answers for one check in the same way, for a notebook that nbgrader executes.

What such evidence can prove and what not is in THREAT_MODEL.md.
"""

from handson.grading.classroom import Grades, grade
from handson.grading.marks import Marks, read_marks
from handson.grading.model import CheckMark, Fact, Finding, Passage, Proof, Result, Written
from handson.grading.output import lines, summarize, to_json, told_aside, write_csv, write_json
from handson.grading.report import write_report
from handson.grading.requirements import Requirements, account, moment
from handson.grading.roster import Learner, Roster, read_roster
from handson.grading.submission import judge_folders

__all__ = [
    "CheckMark",
    "Fact",
    "Finding",
    "Grades",
    "Learner",
    "Marks",
    "Passage",
    "Proof",
    "Requirements",
    "Result",
    "Roster",
    "Written",
    "account",
    "grade",
    "judge_folders",
    "lines",
    "moment",
    "read_marks",
    "read_roster",
    "summarize",
    "to_json",
    "told_aside",
    "write_csv",
    "write_json",
    "write_report",
]
