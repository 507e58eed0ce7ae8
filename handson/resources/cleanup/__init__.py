"""Clean-up: everything that carries the workshop's tag, listed first, then deleted in order.

    deleting   in one region: look, delete, look again
    everywhere the same in every region that this home folder used, with a receipt
    regions    which regions those are
    costs      what the images cost while they stood, with the prices and their source
    receipts   what became of everything, kept in the home folder
    shown      the list and the receipt, as cards

What a learner made by hand is left alone and named.  So is ECS's service-linked role: it is the
account's, costs nothing, and other clusters may need it.
"""

from handson.resources.cleanup.deleting import delete_tagged, find_tagged
from handson.resources.cleanup.everywhere import clean_up, look
from handson.resources.cleanup.receipts import Receipt
from handson.resources.cleanup.regions import regions_used, remember_region
from handson.resources.cleanup.shown import CONFIRMATION, Cleanup

__all__ = [
    "CONFIRMATION",
    "Cleanup",
    "Receipt",
    "clean_up",
    "delete_tagged",
    "find_tagged",
    "look",
    "regions_used",
    "remember_region",
]
