"""An agent on Lambda in the deployment's VPC, which uses tables, archive and cache directly."""
