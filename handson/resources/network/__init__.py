"""The network: a VPC as the console's "VPC and more" makes it.

Names, CIDR blocks, tags and calls are the console's (Amazon VPC User Guide, "Create a VPC plus
other VPC resources").  `find_vpcs` looks, `ensure_network` makes what is missing and changes
nothing when run again, `delete_network` removes what carries the workshop's tag.

    form      the plan of calls that makes what a form describes
    look      what is there, as `state.Vpc`
    ensure    look, then carry out what is missing
    shown     the settings and the resource map, as the console shows them
    delete    in the order AWS asks for
"""

from handson.resources.network.delete import delete_network, find_beside, find_tagged
from handson.resources.network.ensure import ensure_network, require_permissions
from handson.resources.network.form import make_plan
from handson.resources.network.look import find_vpc_ids, find_vpcs, find_zones
from handson.resources.network.shown import Network, described, resource_map

__all__ = [
    "Network",
    "delete_network",
    "described",
    "ensure_network",
    "find_beside",
    "find_tagged",
    "find_vpc_ids",
    "find_vpcs",
    "find_zones",
    "make_plan",
    "require_permissions",
    "resource_map",
]
