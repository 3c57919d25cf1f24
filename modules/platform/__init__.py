"""Constructs for what runs on the cluster: Helm releases and Kubernetes objects."""
