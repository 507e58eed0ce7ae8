"""Forms, a board, predictions and self-check questions, with controls in JupyterLab.

    from handson import widgets

    widgets.form(workshop, "network")
    widgets.board(workshop)
    widgets.questions(workshop, "why-zones")
    widgets.predict(workshop, "route-tables")

All of them are optional: a cell with `workshop.ensure_network(…)`, `workshop.verify()` or
`workshop.questions(…)` does the same.  Each widget has a static card, which a saved notebook keeps
in its place (`handson.notebook`).  The results of a button, and the items of the board, are
ordinary output below the widget, updated in place.  Nothing is made before a button is pressed.

    forms      the forms of the console: their settings, rules and previews
    form_card  a form with controls, whose button makes what it says
    board      the five items, and buttons to look again
    quiz       self-check questions and predictions, with controls
    base       what these share: controls with a static card, and progress bars
    style.css  their layout
"""

from handson.notebook.widgets.board import Board, board
from handson.notebook.widgets.form_card import FormCard
from handson.notebook.widgets.forms import form
from handson.notebook.widgets.quiz import QuizCard, predict, questions

__all__ = ["Board", "FormCard", "QuizCard", "board", "form", "predict", "questions"]
