"""The class board: a page that shows live where the learners of a class are, and who is stuck.

    class_folder   the learners' folders → a `Learner` each: notebook, checks, error, notes
    server         the page, as `handson board` on this computer or as a service of a JupyterHub

What a learner has is derived from the records of the journal as grading derives it; what a learner
is stuck at, from the activity log.  Nothing is written.  This wing can be taken out in one piece.
"""
