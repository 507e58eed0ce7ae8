"""What notebooks use: the workshop and its verbs, widgets, and the tools around notebooks.

    workshop         `handson.start()` and the verbs
    evidence_cards   evidence, the journal and the file to hand in, as cards
    mistakes         two-line answers to mistakes in a cell
    doctor           what this machine lacks
    widgets          forms, the board and questions with controls
    replay           run all notebooks
    saving           what a saved notebook keeps of a widget
    nbgrader         points while nbgrader executes a notebook

The folder `jupyter` is JupyterLab's configuration.
"""
