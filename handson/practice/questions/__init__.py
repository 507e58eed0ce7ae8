"""Self-check questions beside the four free answers: never required, never recorded.

They are drawn from one snapshot of the learner's own state, and each choice, right or wrong, is
answered with what explains it.  Which misconceptions they look for is what the wrong states of the
checks come from: two subnets in one zone, an image in another region, one for another processor.

    asked     the questions, made from what is there
    shown     a topic's questions, and the answer to one, as cards
"""

from handson.practice.questions.asked import TOPICS, Choice, Question
from handson.practice.questions.shown import Answer, Quiz, ask

__all__ = ["TOPICS", "Answer", "Choice", "Question", "Quiz", "ask"]
