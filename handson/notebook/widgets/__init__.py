"""Forms, a board and self-check questions, with controls in JupyterLab.

    from handson import widgets

    widgets.form(workshop, "network")
    widgets.board(workshop)
    widgets.questions(workshop, "why-zones")

All of them are optional: a cell with `workshop.ensure_network(…)`, `workshop.verify()` or
`workshop.questions(…)` does the same.  Beside each widget stands a static card, which is what a
saved notebook keeps (`handson.notebook.saving`).  What a button made, and the board, are ordinary
output below the widget, updated in place.  Nothing is made before a button is pressed.

    forms      the console's forms as data: settings, rules, what they make
    form_card  a form with controls
    board      the board: the five items, turning green
    quiz       self-check questions with controls
    base       what they share, and progress bars
"""

from handson.notebook.widgets.board import Board, board
from handson.notebook.widgets.form_card import FormCard
from handson.notebook.widgets.forms import form
from handson.notebook.widgets.quiz import QuizCard, questions

__all__ = ["Board", "FormCard", "QuizCard", "board", "form", "questions"]
