"""The network: a VPC as the console's "VPC and more" creates it.

Names, CIDR blocks, tags and calls are the console's (Amazon VPC User Guide, "Create a VPC plus
other VPC resources").

    find      what EC2 lists, as `state.Vpc`
    calls     the plan of calls behind a form
    ensure    create what is missing
    delete    delete what carries the workshop's tag
    card      the network's settings and resource map, as the console shows them
"""

from handson.resources.network.calls import plan_network
from handson.resources.network.card import Network, describe_vpc, draw_resource_map
from handson.resources.network.delete import (
    delete_network,
    find_tagged_network,
    find_untagged_vpcs,
)
from handson.resources.network.ensure import check_permissions, ensure_network
from handson.resources.network.find import find_vpc_ids, find_vpcs, find_zones, observe_vpcs

__all__ = [
    "Network",
    "check_permissions",
    "delete_network",
    "describe_vpc",
    "draw_resource_map",
    "ensure_network",
    "find_tagged_network",
    "find_untagged_vpcs",
    "find_vpc_ids",
    "find_vpcs",
    "find_zones",
    "observe_vpcs",
    "plan_network",
]
