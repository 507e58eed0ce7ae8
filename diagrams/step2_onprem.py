"""Step 2 on premises: the same job with machines of one's own.

    python diagrams/step2_onprem.py

writes step2_onprem.ja.svg and step2_onprem.en.svg beside this file.
"""

from pathlib import Path

from handson.core import messages
from handson.course.exercise import Exercise
from handson.course.goal import describe_goal
from handson.drawing import draw

HERE = Path(__file__).parent


def pictures(folder: Path = HERE) -> list[Path]:
    """Draw both editions into `folder`."""
    drawn = []
    for language in messages.LANGUAGES:
        messages.use(language)
        picture = draw(describe_goal(Exercise()), view="onprem")
        drawn.append(picture.save(folder / f"step2_onprem.{language}.svg"))
    return drawn


if __name__ == "__main__":
    for path in pictures():
        print(path)
