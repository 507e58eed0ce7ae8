"""The AWS resources that the workshop builds: find, create, delete.

network           create the VPC and its contents
vpc_listing       find VPCs and their contents; one as the console shows it
network_deletion  delete the VPC and its contents
cluster           the ECS cluster
repository        the ECR repository, and how to push to it
images            the images in a repository
push              build and push an image, push commands, the image URI for step 3
image_run         run a pushed image for a moment, and show its first page
plan              calls to AWS as data: carried out, and shown as aws CLI commands
answers           AWS's descriptions of resources as states
snapshot          the table of resource kinds, and the current state of all of them
cleanup           delete what carries the workshop's tag
receipts          the result of a clean-up, and what the images cost
"""
