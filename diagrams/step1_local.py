"""Step 1 as a picture: the shop in Docker on one computer.

    python diagrams/step1_local.py

writes step1_local.ja.svg and step1_local.en.svg beside this file.
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
        picture = draw(describe_goal(Exercise()), view="local")
        drawn.append(picture.save(folder / f"step1_local.{language}.svg"))
    return drawn


if __name__ == "__main__":
    for path in pictures():
        print(path)
