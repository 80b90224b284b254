"""The CDK app: `cdk synth`, `cdk deploy` and their like run this file."""

from stacks.application import build_app

build_app().synth()
