"""Amazon ECR: private repositories, what is in them, and who may push.

repositories   find, ensure, delete; where and with which token an image is pushed
images         what is in a repository, by tag, newest first
contents       what an image's manifests say: platforms, size, the engine that built it
"""

from handson.resources.registry.contents import MANIFEST_TYPES
from handson.resources.registry.images import (
    Images,
    StoredBlob,
    find_images,
    find_stored_blobs,
    require_image,
)
from handson.resources.registry.repositories import (
    TYPE,
    EnsuredRepository,
    address,
    delete_repository,
    destination,
    ensure_repository,
    find_beside,
    find_public_repository,
    find_repositories,
    find_repository,
    find_tagged,
    missing_repository,
    require_repository,
)

__all__ = [
    "MANIFEST_TYPES",
    "TYPE",
    "EnsuredRepository",
    "Images",
    "StoredBlob",
    "address",
    "delete_repository",
    "destination",
    "ensure_repository",
    "find_beside",
    "find_images",
    "find_public_repository",
    "find_repositories",
    "find_repository",
    "find_stored_blobs",
    "find_tagged",
    "missing_repository",
    "require_image",
    "require_repository",
]
