"""Change AWS and the cluster by Terraform: synth, plan, deploy, upgrade, and where the state is."""
