"""Step 2 as a picture: what stands on AWS when the workshop is done; no AWS is asked.

    python diagrams/step2_aws.py

writes step2_aws.ja.svg and step2_aws.en.svg beside this file.
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
        picture = draw(describe_goal(Exercise()), view="aws")
        drawn.append(picture.save(folder / f"step2_aws.{language}.svg"))
    return drawn


if __name__ == "__main__":
    for path in pictures():
        print(path)
