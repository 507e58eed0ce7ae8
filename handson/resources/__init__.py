"""The AWS resources that the workshop builds: find, create, delete.

kinds         the table of resource kinds that snapshot and clean-up use
network       the VPC and its contents
cluster       the ECS cluster
repository    the ECR repository, and how to push to it
images        the images in a repository, and the image URI for step 3
push          build and push an image; the console's push commands
image_run     run a pushed image for a moment
page          the first page of a running image, as a picture
plan          calls to AWS as data: carried out, and shown as aws CLI commands
snapshot      the current state of everything, for checks and pictures
cleanup       delete what carries the workshop's tag
receipts      the result of a clean-up, and what the images cost
"""
