"""The kinds of resources that the workshop creates: their AWS types, ARNs and IAM actions.

The kinds stand in the order of deletion (Amazon VPC User Guide, "Delete your VPC").  `policy` lists
the actions of each kind; `handson.resources.kinds` knows how to find and delete its resources.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """A kind of resource.

    Attributes:
        name: Its name within this package.
        type: AWS's resource type (AWS CloudFormation User Guide, "Resource type reference").
        arn: Its ARN without ``arn:aws:``, with the placeholders of `policy.document`.
        find: The IAM actions that find it.
        create: Those that create it with its tag.
        change: Those that complete or connect it.
        delete: Those that delete it.
        find_users: Those that find what keeps AWS from deleting it.
    """

    name: str
    type: str
    arn: str
    find: tuple[str, ...]
    create: tuple[str, ...]
    change: tuple[str, ...] = ()
    delete: tuple[str, ...] = ()
    find_users: tuple[str, ...] = ()

    @property
    def service(self) -> str:
        """The service that the kind belongs to: "ec2", "ecs" or "ecr"."""
        return self.arn.partition(":")[0]


CLUSTER = Kind(
    "cluster",
    "AWS::ECS::Cluster",
    "ecs:{region}:{account}:cluster/*",
    find=("ecs:ListClusters", "ecs:DescribeClusters"),
    create=("ecs:CreateCluster", "ecs:TagResource"),
    change=("ecs:PutClusterCapacityProviders",),
    delete=("ecs:DeleteCluster",),
    find_users=("ecs:ListContainerInstances", "ecs:ListServices", "ecs:ListTasks"),
)
REPOSITORY = Kind(
    "repository",
    "AWS::ECR::Repository",
    "ecr:{region}:{account}:repository/{repository}",
    find=("ecr:DescribeRepositories", "ecr:ListTagsForResource"),
    create=("ecr:CreateRepository", "ecr:TagResource"),
    delete=("ecr:DeleteRepository",),
)
ENDPOINT = Kind(
    "endpoint",
    "AWS::EC2::VPCEndpoint",
    "ec2:{region}:{account}:vpc-endpoint/*",
    find=("ec2:DescribeVpcEndpoints",),
    create=("ec2:CreateVpcEndpoint",),
    change=("ec2:ModifyVpcEndpoint",),
    delete=("ec2:DeleteVpcEndpoints",),
)
SUBNET = Kind(
    "subnet",
    "AWS::EC2::Subnet",
    "ec2:{region}:{account}:subnet/*",
    find=("ec2:DescribeSubnets",),
    create=("ec2:CreateSubnet",),
    delete=("ec2:DeleteSubnet",),
)
ROUTE_TABLE = Kind(
    "route table",
    "AWS::EC2::RouteTable",
    "ec2:{region}:{account}:route-table/*",
    find=("ec2:DescribeRouteTables",),
    create=("ec2:CreateRouteTable",),
    change=("ec2:AssociateRouteTable", "ec2:CreateRoute", "ec2:ReplaceRoute"),
    delete=("ec2:DisassociateRouteTable", "ec2:DeleteRouteTable"),
)
GATEWAY = Kind(
    "internet gateway",
    "AWS::EC2::InternetGateway",
    "ec2:{region}:{account}:internet-gateway/*",
    find=("ec2:DescribeInternetGateways",),
    create=("ec2:CreateInternetGateway",),
    change=("ec2:AttachInternetGateway",),
    delete=("ec2:DetachInternetGateway", "ec2:DeleteInternetGateway"),
)
VPC = Kind(
    "VPC",
    "AWS::EC2::VPC",
    "ec2:{region}:{account}:vpc/*",
    find=("ec2:DescribeVpcs",),
    create=("ec2:CreateVpc",),
    change=("ec2:ModifyVpcAttribute",),
    delete=("ec2:DeleteVpc",),
    find_users=(
        "ec2:DescribeNatGateways",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSecurityGroups",
    ),
)

NETWORK_KINDS = (ENDPOINT, SUBNET, ROUTE_TABLE, GATEWAY, VPC)
KINDS = (CLUSTER, REPOSITORY, *NETWORK_KINDS)
"""All kinds, in the order of deletion."""
