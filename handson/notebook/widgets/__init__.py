"""Where touching helps: forms, a board and self-check questions, with controls in JupyterLab.

    from handson import widgets

    widgets.form(workshop, "network")
    widgets.board(workshop)
    widgets.questions(workshop, "why-zones")

Nothing here is needed to finish: a cell with `workshop.ensure_network(…)`, `workshop.verify()` or
`workshop.questions(…)` does the same.  What a widget shows stands beside it as a static card, which
is what a saved notebook keeps (`handson.notebook.saving`); what a button made, and the board, are
ordinary output below it that is updated in place.  Nothing is made before a button is pressed.

    forms      the console's forms as data: settings, rules, what they make
    filled     a form with controls
    items      the board: the five items, turning green
    quiz       self-check questions with controls
    bars       progress as a bar
    live       what they share
"""

from handson.notebook.widgets.filled import Filled, form
from handson.notebook.widgets.items import Board, board
from handson.notebook.widgets.quiz import Check, questions

__all__ = ["Board", "Check", "Filled", "board", "form", "questions"]
